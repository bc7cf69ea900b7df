// Ints as sums of multiples of other ints, so that what occurs on both sides of a difference cancels:
// (x + offset) - (y + offset) is as large as x - y, whatever the offset.

import type { Interval } from './interval.ts';
import type { Node } from './node.ts';

/** The sum of `times` * node over the terms, and a constant: as numbers, not modulo 2^32. */
export interface Linear {
  readonly terms: ReadonlyMap<Node, number>;
  readonly constant: number;
}

// With these limits the ends of a form are whole numbers below 2^53, which float64 holds exactly.
const MOST_TERMS = 4;
const LARGEST_FACTOR = 2 ** 19;

export const atom = (node: Node): Linear => ({ terms: new Map([[node, 1]]), constant: 0 });
export const literalForm = (constant: number): Linear => ({ terms: new Map(), constant });

/** a + times * b; undefined where it grows too long to follow. */
export function combine(a: Linear, b: Linear, times: number): Linear | undefined {
  const terms = new Map(a.terms);
  for (const [node, factor] of b.terms) {
    const sum = (terms.get(node) ?? 0) + times * factor;
    if (sum === 0) terms.delete(node);
    else terms.set(node, sum);
  }
  const followed =
    terms.size <= MOST_TERMS && [...terms.values()].every((one) => Math.abs(one) <= LARGEST_FACTOR);
  const constant = a.constant + times * b.constant;
  return followed && Math.abs(constant) <= 2 ** 51 ? { terms, constant } : undefined;
}

/** Between which whole numbers a form lies. */
export function spanOf(form: Linear, rangeOf: (node: Node) => Interval): Interval {
  let [low, high] = [form.constant, form.constant];
  for (const [node, times] of form.terms) {
    const range = rangeOf(node);
    low += times * (times > 0 ? range.low : range.high);
    high += times * (times > 0 ? range.high : range.low);
  }
  return { low, high };
}
