// The one place that knows how `using` finds its way to the end of a thing's life.

/**
 * `Symbol.dispose`, or the stand-in that down-levelled `using` looks up where an engine has none (esbuild and
 * TypeScript's polyfills agree on `Symbol.for('Symbol.dispose')`; Node 20 has a symbol of its own, found first).
 * Nothing global is patched.
 */
export const dispose: typeof Symbol.dispose = (Symbol.dispose ??
  Symbol.for('Symbol.dispose')) as typeof Symbol.dispose;

/** `Symbol.asyncDispose`, likewise, for `await using`. */
export const asyncDispose: typeof Symbol.asyncDispose = (Symbol.asyncDispose ??
  Symbol.for('Symbol.asyncDispose')) as typeof Symbol.asyncDispose;
