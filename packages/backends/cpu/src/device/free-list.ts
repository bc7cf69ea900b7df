// Which parts of a range of addresses are free. Pure bookkeeping: no memory is touched.

/** A free range. */
interface Hole {
  readonly address: number;
  readonly bytes: number;
}

/** Best fit: the smallest hole that is large enough, its rest left over; neighbours that are freed become one. */
export class FreeList {
  /** By address; never two that touch. */
  readonly #holes: Hole[] = [];

  /** Adds a range that is free. */
  add(address: number, bytes: number): void {
    if (bytes === 0) return;
    let at = this.#holes.findIndex((hole) => hole.address > address);
    if (at < 0) at = this.#holes.length;
    const [before, after] = [this.#holes[at - 1], this.#holes[at]];
    const joinsBefore = before !== undefined && before.address + before.bytes === address;
    const joinsAfter = after !== undefined && address + bytes === after.address;
    const start = joinsBefore ? before.address : address;
    const end = joinsAfter ? after.address + after.bytes : address + bytes;
    const from = joinsBefore ? at - 1 : at;
    this.#holes.splice(from, (joinsBefore ? 1 : 0) + (joinsAfter ? 1 : 0), {
      address: start,
      bytes: end - start,
    });
  }

  /** Takes a range of the size out; undefined where no hole is large enough. */
  take(bytes: number): number | undefined {
    let best = -1;
    for (const [i, hole] of this.#holes.entries()) {
      if (hole.bytes >= bytes && (best < 0 || hole.bytes < (this.#holes[best] as Hole).bytes)) best = i;
    }
    if (best < 0) return undefined;
    const { address, bytes: size } = this.#holes[best] as Hole;
    const rest = size === bytes ? [] : [{ address: address + bytes, bytes: size - bytes }];
    this.#holes.splice(best, 1, ...rest);
    return address;
  }

  /** How many bytes the hole that ends at an address has. */
  endingAt(address: number): number {
    const last = this.#holes.findLast((hole) => hole.address + hole.bytes === address);
    return last?.bytes ?? 0;
  }
}
