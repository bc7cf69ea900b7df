// Buffers between two uses. What waits too long is destroyed.

/** Submissions for which a buffer may wait to be used again: a step of training has more between its ends. */
const PATIENCE = 256;

interface Waiting {
  readonly buffer: GPUBuffer;
  readonly since: number;
}

export class Pool {
  readonly #waiting = new Map<number, Waiting[]>();
  #bytes = 0;

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A buffer of exactly this size, the one given back last. */
  take(size: number): GPUBuffer | undefined {
    const found = this.#waiting.get(size)?.pop()?.buffer;
    if (found) this.#bytes -= size;
    return found;
  }

  /** @param now the count of submissions. */
  give(buffer: GPUBuffer, now: number): void {
    const alike = this.#waiting.get(buffer.size);
    if (alike) alike.push({ buffer, since: now });
    else this.#waiting.set(buffer.size, [{ buffer, since: now }]);
    this.#bytes += buffer.size;
  }

  /** Takes those out that nothing has needed for long. */
  outdated(now: number): readonly GPUBuffer[] {
    return this.#remove(({ since }) => now - since > PATIENCE);
  }

  /** Takes all out. */
  all(): readonly GPUBuffer[] {
    return this.#remove(() => true);
  }

  #remove(which: (one: Waiting) => boolean): readonly GPUBuffer[] {
    const removed: GPUBuffer[] = [];
    for (const [size, alike] of this.#waiting) {
      // The oldest come first.
      while (alike[0] && which(alike[0])) removed.push((alike.shift() as Waiting).buffer);
      if (alike.length === 0) this.#waiting.delete(size);
    }
    for (const { size } of removed) this.#bytes -= size;
    return removed;
  }
}
