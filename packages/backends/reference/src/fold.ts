// Reductions of numbers that come one by one.

import type { Reduction } from '@heed/tensor';

/** Takes numbers in order; `total` is their reduction so far. */
export interface Fold {
  total: number;
  take(value: number): void;
}

// Math.max and Math.min give NaN if any number is.
const joined = (empty: number, join: (total: number, value: number) => number): Fold => ({
  total: empty,
  take(value) {
    this.total = join(this.total, value);
  },
});

/** The position of the first number that no other beats; -1 where there is none. NaN beats all others. */
function position(beats: (value: number, best: number) => boolean): Fold {
  let next = 0;
  let best = 0;
  return {
    total: -1,
    take(value) {
      const wins = Number.isNaN(value) ? !Number.isNaN(best) : beats(value, best);
      if (next === 0 || wins) {
        best = value;
        this.total = next;
      }
      next++;
    },
  };
}

export const folds: { readonly [R in Reduction]: () => Fold } = {
  sum: () => joined(0, (total, value) => total + value),
  max: () => joined(-Infinity, Math.max),
  min: () => joined(Infinity, Math.min),
  argmax: () => position((value, best) => value > best),
  argmin: () => position((value, best) => value < best),
};
