// A piece of device memory that several views share. It is freed when the last of them ends.

import type { Allocation } from './contract/backend.ts';

export class Storage {
  readonly allocation: Allocation;
  readonly #free: () => void;
  #references = 1;

  /** Starts with one reference, which is the caller's. */
  constructor(allocation: Allocation, free: () => void) {
    this.allocation = allocation;
    this.#free = free;
  }

  get bytes(): number {
    return this.allocation.bytes;
  }

  retain(): this {
    this.#references++;
    return this;
  }

  release(): void {
    if (--this.#references === 0) this.#free();
  }
}
