// One pair of rows put through a score, and its parameters listed: what the tests here check by hand.

import type { Score } from '@heed/attention';
import { describeType, evaluate, HeedError, inputsOf, type Value } from '@heed/expr';

/** The score of one query row and one key row. Dims of rows and parameters are learned from what is given. */
export function scoreOf(
  score: Score,
  q: readonly number[],
  k: readonly number[],
  given: Readonly<Record<string, Value>> = {},
): number {
  const rows =
    score.widths === 'shared' ? { feature: q.length } : { queryFeature: q.length, keyFeature: k.length };
  const uniforms = Object.fromEntries(
    Object.entries(score.uniforms).map(([name, { value }]) => [name, value]),
  );
  const values: Record<string, Value> = { q, k, ...uniforms, ...given };
  const read = inputsOf([score.body]).map(({ data }) => data.name);
  return evaluate(
    score.body,
    Object.fromEntries(Object.entries(values).filter(([name]) => read.includes(name))),
    { ...score.sizes, ...rows },
  );
}

/** Each parameter as a person would write it: `w: mat(hidden, queryFeature)`. */
export const paramsOf = ({ params }: Score): string[] =>
  Object.entries(params).map(([name, { type, initial }]) => `${name}: ${describeType(type)}, ${initial}`);

/** The message of the error that a wrong option gives. */
export function message(run: () => unknown): string {
  try {
    run();
  } catch (problem) {
    if (problem instanceof HeedError) return `${problem.name}: ${problem.message}`;
    throw problem;
  }
  return 'nothing was thrown';
}
