// The memory of the reference backend: buffers that complain. Fresh ones are poisoned, freed ones are gone.

import { type Allocation, BackendError, DisposedError, OutOfMemoryError } from '@heed/tensor';

/** What fresh memory holds: NaN as a float of any width, -1 as an int. A result that depends on it shows. */
const POISON = 0xff;

// Typed arrays of every dtype must fit over a buffer whole.
const WIDEST = 8;

export class Memory {
  readonly limit: number;
  readonly #buffers = new Map<Allocation, ArrayBuffer>();
  #held = 0;
  #closed = false;

  /** @param limit how many bytes may be held at once. */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** @throws OutOfMemoryError, after which everything is as usable as before. */
  allocate(bytes: number): Allocation {
    this.#open('allocate');
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      throw new BackendError(`reference: allocate: expected a whole number of bytes, got ${bytes}.`);
    }
    if (this.#held + bytes > this.limit) throw this.#full(bytes);
    let buffer: ArrayBuffer;
    try {
      buffer = new ArrayBuffer(Math.ceil(bytes / WIDEST) * WIDEST);
    } catch (cause) {
      throw this.#full(bytes, { cause });
    }
    new Uint8Array(buffer).fill(POISON);
    const allocation: Allocation = Object.freeze({ bytes });
    this.#buffers.set(allocation, buffer);
    this.#held += bytes;
    return allocation;
  }

  /** The bytes behind an allocation. @throws BackendError if it was freed or is another backend's. */
  buffer(of: Allocation, where: string): ArrayBuffer {
    this.#open(where);
    const buffer = this.#buffers.get(of);
    if (!buffer) {
      throw new BackendError(
        `reference: ${where}: expected an allocation of this backend, got one of ${of.bytes} bytes that was freed or ` +
          'belongs to another backend.',
      );
    }
    return buffer;
  }

  /** The given range of an allocation, seen in place. @throws BackendError if it reaches outside. */
  range(of: Allocation, byteOffset: number, bytes: number, where: string): Uint8Array<ArrayBuffer> {
    const buffer = this.buffer(of, where);
    const whole = Number.isSafeInteger(byteOffset) && Number.isSafeInteger(bytes);
    if (!whole || byteOffset < 0 || bytes < 0 || byteOffset + bytes > of.bytes) {
      throw new BackendError(
        `reference: ${where}: expected a range within ${of.bytes} bytes, got ${bytes} bytes from ${byteOffset}.`,
      );
    }
    return new Uint8Array(buffer, byteOffset, bytes);
  }

  /** After `close` this does nothing: everything is free already. @throws BackendError if freed twice. */
  free(allocation: Allocation): void {
    if (this.#closed) return;
    this.buffer(allocation, 'free');
    this.#buffers.delete(allocation);
    this.#held -= allocation.bytes;
  }

  close(): void {
    this.#closed = true;
    this.#buffers.clear();
    this.#held = 0;
  }

  #open(where: string): void {
    if (this.#closed)
      throw new DisposedError(`reference: ${where}: this backend was closed. Open another one.`);
  }

  #full(bytes: number, options?: ErrorOptions): OutOfMemoryError {
    return new OutOfMemoryError(
      `reference: allocate: asked for ${bytes} bytes while ${this.#held} of ${this.limit} are held. ` +
        'Free tensors (dispose, using, scope) or raise reference({ bytes }).',
      options,
    );
  }
}
