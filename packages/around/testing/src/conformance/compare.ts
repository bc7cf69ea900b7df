// Comparing what came out with what must.

import { coordinates } from '../assert.ts';
import type { Tolerance } from './case.ts';
import type { Numbers, Reference } from './decode.ts';

/** The worst element of a tensor that does not agree. */
export interface Mismatch {
  readonly tensor: string;
  /** Coordinates, or the name of a sum. */
  readonly at: string;
  readonly expected: number;
  readonly actual: number;
  readonly difference: number;
  readonly allowed: number;
  /** How many elements do not agree, of how many compared. */
  readonly wrong: number;
  readonly of: number;
}

/** Sums over a whole result are compared within this share of the sum of magnitudes. */
const SUM_SHARE = 1e-5;

/** The worst element outside the tolerance, or null. An expected NaN or infinity must be met exactly. */
export function compare(
  tensor: string,
  shape: readonly number[],
  actual: Numbers,
  expected: Reference,
  { rtol, atol }: Tolerance,
  factor: number,
): Mismatch | null {
  let worst: Mismatch | null = null;
  let excess = 0;
  let wrong = 0;
  let of = 0;
  const check = (at: () => string, a: number, e: number, allowed: number): void => {
    of++;
    const difference = agree(a, e) ? 0 : Math.abs(a - e);
    if (difference <= allowed) return;
    wrong++;
    const share = Number.isFinite(difference) ? difference / allowed : Infinity;
    if (worst && !(share > excess)) return;
    excess = share;
    worst = { tensor, at: at(), expected: e, actual: a, difference, allowed, wrong, of };
  };
  const within = (e: number): number => (Number.isFinite(e) ? factor * (atol + rtol * Math.abs(e)) : 0);
  const { numbers } = expected;
  for (let i = 0; i < numbers.length; i++) {
    const e = numbers[i] as number;
    const flat = expected.kind === 'sampled' ? (expected.indices[i] as number) : i;
    check(() => coordinates(flat, shape), actual[flat] as number, e, within(e));
  }
  if (expected.kind === 'sampled') {
    let sum = 0;
    let sumAbs = 0;
    for (const one of actual) {
      sum += one;
      sumAbs += Math.abs(one);
    }
    const allowed = factor * SUM_SHARE * expected.sumAbs;
    check(() => 'sum of all', sum, expected.sum, allowed);
    check(() => 'sum of magnitudes', sumAbs, expected.sumAbs, allowed);
  }
  return worst && { ...(worst as Mismatch), wrong, of };
}

const agree = (a: number, e: number): boolean => a === e || (Number.isNaN(a) && Number.isNaN(e));
