// All of a memory that may grow, also while another thread makes it grow.

export class Span {
  readonly #memory: WebAssembly.Memory;
  #bytes: Uint8Array<ArrayBuffer>;

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
    this.#bytes = new Uint8Array(memory.buffer);
  }

  /** A piece of the memory, in place. Growing leaves it behind. */
  at(address: number, bytes: number): Uint8Array<ArrayBuffer> {
    if (this.#bytes.buffer !== this.#memory.buffer) this.#refresh();
    if (address + bytes > this.#bytes.length) {
      // This thread may not have heard yet that the memory has grown. Growing by nothing makes it look.
      this.#memory.grow(0);
      this.#refresh();
    }
    return this.#bytes.subarray(address, address + bytes);
  }

  /** A copy in memory of its own: what is shared cannot be handed out, nor compiled. */
  copy(address: number, bytes: number): Uint8Array<ArrayBuffer> {
    const copy = new Uint8Array(bytes);
    copy.set(this.at(address, bytes));
    return copy;
  }

  #refresh(): void {
    this.#bytes = new Uint8Array(this.#memory.buffer);
  }
}
