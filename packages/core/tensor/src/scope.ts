// Scopes: who disposes the tensors that were made on the way to a result.

import type { Device } from './device.ts';
import { dispose } from './dispose.ts';
import { DisposedError } from './errors.ts';
import { endLife, type Life } from './life.ts';
import { Tensor } from './tensor.ts';

/**
 * An open scope: every tensor made on the device until it is closed is disposed then, but for those it was told to keep.
 * Made by `openScope`; `scope` is the shorter form where nothing is awaited inside.
 */
export class Scope {
  readonly #device: Device;
  readonly #outer: Scope | null;
  readonly #lives = new Set<Life>();
  #open = true;

  constructor(device: Device) {
    this.#device = device;
    this.#outer = device.current.scope;
    device.current.scope = this;
  }

  /** Lets the tensors in `result` live on: they belong to the scope around this one, or to the caller. */
  keep<T>(result: T): T {
    for (const { life } of tensorsIn(result)) {
      if (life.scope !== this) continue;
      this.release(life);
      this.#outerOpen()?.adopt(life);
    }
    return result;
  }

  /** Disposes what was not kept. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    if (this.#device.current.scope === this) this.#device.current.scope = this.#outerOpen();
    for (const life of [...this.#lives]) endLife(life);
  }

  [dispose](): void {
    this.close();
  }

  /** Takes a tensor in. Part of the machinery: tensors register themselves. */
  adopt(life: Life): void {
    if (!this.#open)
      throw new DisposedError('scope: this scope was closed; it cannot take in another tensor.');
    life.scope = this;
    this.#lives.add(life);
  }

  /** Lets go of a tensor without disposing it. */
  release(life: Life): void {
    this.#lives.delete(life);
    life.scope = null;
  }

  // Scopes that are held across an await may close in another order than they were opened.
  #outerOpen(): Scope | null {
    let outer = this.#outer;
    while (outer && !outer.#open) outer = outer.#outer;
    return outer;
  }
}

/**
 * Opens a scope that lasts until it is closed, across awaits too: `using work = openScope(device)`. Tensors that other
 * code makes on the same device meanwhile belong to it as well.
 */
export const openScope = (device: Device): Scope => new Scope(device);

/**
 * Runs `body` and disposes every tensor it made but those it returns (in any nesting of arrays, objects, maps, sets).
 * What the gradients of returned tensors need stays alive with them.
 *
 * @throws DisposedError if `body` returns a promise: its tensors would be gone before it resumes.
 */
export function scope<T>(device: Device, body: () => T): T {
  const inside = new Scope(device);
  try {
    const result = body();
    if (isPromise(result)) {
      // Its failure would be about disposed tensors, and reported beside the error that matters.
      result.then(undefined, () => undefined);
      throw new DisposedError(
        'scope: expected a function that returns at once, got one that returns a promise; its tensors would be disposed ' +
          'before it goes on. Write `using work = openScope(device)` in the async function, and `work.keep(result)`.',
      );
    }
    return inside.keep(result);
  } finally {
    inside.close();
  }
}

/** Runs `body` as if no scope were open: what it makes belongs to the caller. */
export function unscoped<T>(device: Device, body: () => T): T {
  const outer = device.current.scope;
  device.current.scope = null;
  try {
    return body();
  } finally {
    device.current.scope = outer;
  }
}

const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';

/** Every tensor in a nesting, each once. */
function tensorsIn(value: unknown, found = new Set<Tensor>(), seen = new Set<object>()): Set<Tensor> {
  if (value instanceof Tensor) return found.add(value);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || seen.has(value))
    return found;
  seen.add(value);
  if (Array.isArray(value) || value instanceof Set) for (const part of value) tensorsIn(part, found, seen);
  else if (value instanceof Map) for (const part of value.values()) tensorsIn(part, found, seen);
  else for (const part of Object.values(value)) tensorsIn(part, found, seen);
  return found;
}
