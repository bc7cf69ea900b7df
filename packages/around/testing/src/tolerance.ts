// How far a result may be from the exact one. Computed, never chosen to pass.
//
// A good algorithm gives the exact result of inputs that are each off by a few roundings. So the error it may make is
//
//   MULTIPLE * roundings * (spread + 2 u * largest)
//
// where u is the unit roundoff of the dtype, so that 2 u is a unit in the last place; `spread` is how far the exact
// result (float64) moves when every input moves by a relative 2 u, the largest of a few random draws; `largest` is the
// largest magnitude in the result, because what is summed is rounded at the size of what is summed; and `roundings` is
// the length of the longest sum on the way to one number. MULTIPLE leaves room for the constant that the argument hides:
// an exp that is off by four units in the last place instead of a half.

import type { DType } from '@heed/tensor';
import type { Random } from './random.ts';

export const MULTIPLE = 4;

/** Unit roundoff: the largest relative error of rounding a number to the dtype. */
export const roundoff: Readonly<Record<DType, number>> = {
  float64: 2 ** -53,
  float32: 2 ** -24,
  float16: 2 ** -11,
  bfloat16: 2 ** -8,
  int32: 0,
  int8: 0,
  bool: 0,
};

/** Numbers by name. */
export type Data = Readonly<Record<string, Float64Array<ArrayBuffer>>>;

/** An exact result and how far from it another may be, by name. */
export interface Exact {
  readonly values: Data;
  readonly allowed: Readonly<Record<string, number>>;
}

export interface ExactOptions {
  readonly dtype: DType;
  /** The length of the longest sum. */
  readonly roundings: number;
  /** Which inputs are floats: only these are rounded. */
  readonly floats: readonly string[];
  /** A further factor, for a device whose functions are known to be less accurate. */
  readonly factor?: number;
  /**
   * The results come from the same numbers, so that each is rounded at the size of the largest of all: gradients, where a
   * softmax over one key lets numbers of any size cancel to nothing.
   */
  readonly together?: boolean;
  readonly random: Random;
}

const DRAWS = 3;

/** Computes `f` in float64, and again with its inputs moved by one rounding, which says what error is fair. */
export async function exactly(
  f: (inputs: Data) => Data | Promise<Data>,
  inputs: Data,
  { dtype, roundings, floats, factor = 1, together = false, random }: ExactOptions,
): Promise<Exact> {
  const unit = 2 * roundoff[dtype];
  const values = await f(inputs);
  const spread: Record<string, number> = {};
  for (let draw = 0; draw < DRAWS; draw++) {
    const moved = { ...inputs };
    for (const name of floats) {
      const own = inputs[name] as Float64Array<ArrayBuffer>;
      moved[name] = own.map((one) => one * (1 + (random.flip() ? unit : -unit)));
    }
    for (const [name, other] of Object.entries(await f(moved))) {
      spread[name] = Math.max(spread[name] ?? 0, furthest(other, values[name] as Float64Array));
    }
  }
  const all = Math.max(0, ...Object.values(values).map(largest));
  const allowed = Object.entries(values).map(([name, value]) => {
    const error = (spread[name] ?? 0) + unit * (together ? all : largest(value));
    return [name, MULTIPLE * roundings * factor * error] as const;
  });
  return { values, allowed: Object.fromEntries(allowed) };
}

/** The largest finite difference; where one is not finite there is nothing to measure. */
function furthest(a: Float64Array, b: Float64Array): number {
  let most = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs((a[i] as number) - (b[i] as number));
    if (Number.isFinite(difference)) most = Math.max(most, difference);
  }
  return most;
}

/** The largest finite magnitude. */
export function largest(of: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < of.length; i++) {
    const size = Math.abs(of[i] as number);
    if (Number.isFinite(size)) most = Math.max(most, size);
  }
  return most;
}
