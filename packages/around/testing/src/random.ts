// Numbers from a seed: the same seed gives the same numbers on every machine.

/** Tommy Ettinger's mulberry32: uint32 values from a uint32 seed. */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/** Draws from a seed. */
export class Random {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = mulberry32(seed);
  }

  /** In [0, 1). */
  unit(): number {
    return this.#next() / 2 ** 32;
  }

  /** In [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.unit();
  }

  /** A whole number of low .. high, both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.unit() * (high - low + 1));
  }

  flip(probability = 0.5): boolean {
    return this.unit() < probability;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.integer(0, from.length - 1)] as T;
  }

  /** `count` numbers of [-1, 1), never closer to zero than a thousandth, where many functions have a kink. */
  numbers(count: number, scale = 1): Float64Array<ArrayBuffer> {
    return Float64Array.from({ length: count }, () => {
      const one = this.between(-1, 1);
      return scale * (Math.abs(one) < 1e-3 ? one + 2e-3 : one);
    });
  }

  /** 0 .. count - 1 in some order. */
  permutation(count: number): number[] {
    const order = Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = this.integer(0, i);
      [order[i], order[j]] = [order[j] as number, order[i] as number];
    }
    return order;
  }
}
