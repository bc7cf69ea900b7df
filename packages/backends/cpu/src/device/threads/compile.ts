// How modules are made.

/** A module, and the bytes that it has been made of. */
export interface Compiled {
  readonly module: WebAssembly.Module;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Synchronous: these modules are small, and a pending asynchronous compilation does not keep Node alive. */
export type Compile = (bytes: Uint8Array<ArrayBuffer>) => Compiled;

export const compilePlain: Compile = (bytes) => ({ module: new WebAssembly.Module(bytes), bytes });
