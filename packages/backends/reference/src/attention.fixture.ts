// For tests: attentions to run on the bench, and the same by plain loops.

import { dot, eq, exp, index, maximum, mul, scalar, select, sigmoid, sub, toFloat, vec } from '@heed/expr';
import type { AttendInput, AttendProgram, NormalizerForm, View } from '@heed/tensor';
import { type Bench, float, truth } from './bench.fixture.ts';

export const rows: Readonly<Record<'q' | 'k' | 'v', AttendInput>> = {
  q: { type: vec('feature'), dtype: 'float64', along: ['batch', 'head', 'query'] },
  k: { type: vec('feature'), dtype: 'float64', along: ['batch', 'keyHead', 'key'] },
  v: { type: vec('valueFeature'), dtype: 'float64', along: ['batch', 'keyHead', 'key'] },
};

export const forms = {
  softmax: {
    weight: float((x) => exp(sub(x('score', scalar), x('level', scalar)))),
    level: { by: 'log-sum-exp' },
    sink: null,
  },
  sparsemax: {
    weight: float((x) => maximum(sub(x('score', scalar), x('level', scalar)), 0)),
    level: {
      by: 'root',
      low: float((x) => sub(x('maximum', scalar), 1)),
      high: float((x) => x('maximum', scalar)),
    },
    sink: null,
  },
  sigmoid: { weight: float((x) => sigmoid(x('score', scalar))), level: { by: 'none' }, sink: null },
  argmax: {
    weight: float((x) => select(eq(toFloat(x('key', index)), x('level', scalar)), 1, 0)),
    level: { by: 'argmax' },
    sink: null,
  },
} as const satisfies Record<string, NormalizerForm>;

export const dotProduct = float((x) => mul(dot(x('q', vec('feature')), x('k', vec('feature'))), 0.5));

/** A dot product attention with everything allowed, to be changed by what a test is about. */
export const attention = (changes: Partial<AttendProgram> = {}): AttendProgram => ({
  kind: 'attend',
  inputs: rows,
  value: 'v',
  uniforms: {},
  sizes: { feature: 3, valueFeature: 2 },
  score: dotProduct,
  mask: truth(() => true),
  normalizer: forms.softmax,
  reweight: float(() => 1),
  cheaper: null,
  keep: { level: false, weights: true },
  dtype: 'float64',
  ...changes,
});

/** The lengths that tests use unless they say otherwise: two heads of keys for four of queries. */
export const sizes = { batches: 2, heads: 4, keyHeads: 2, queryLength: 3, keyLength: 5 } as const;
export type Lengths = Record<keyof typeof sizes, number>;

/** Numbers between -1 and 1 that look random and are the same each time. */
export const noise = (count: number, seed: number): number[] =>
  Array.from({ length: count }, (_, i) => {
    const x = Math.sin((i + 1) * 12.9898 + seed * 78.233) * 43758.5453;
    return 2 * (x - Math.floor(x)) - 1;
  });

/** One row by plain loops: scores of the allowed keys to weights. `sink` is the score of one more key. */
export const plainly: Readonly<
  Record<keyof typeof forms, (scores: readonly number[], sink?: number) => number[]>
> = {
  softmax: (scores, sink) => {
    const total = [...scores, ...(sink === undefined ? [] : [sink])].reduce((sum, e) => sum + Math.exp(e), 0);
    return scores.map((e) => Math.exp(e) / total);
  },
  // Martins, Astudillo 2016, algorithm 1: sort, find how many take part, subtract.
  sparsemax: (scores, sink) => {
    const sorted = [...scores, ...(sink === undefined ? [] : [sink])].sort((a, b) => b - a);
    let level = Number.NaN;
    let sum = 0;
    sorted.forEach((e, i) => {
      sum += e;
      if (1 + (i + 1) * e > sum) level = (sum - 1) / (i + 1);
    });
    return scores.map((e) => Math.max(e - level, 0));
  },
  sigmoid: (scores) => scores.map((e) => 1 / (1 + Math.exp(-e))),
  argmax: (scores, sink) => {
    const first = scores.indexOf(Math.max(...scores));
    return scores.map((_, i) => (i === first && !(sink! > scores[first]!) ? 1 : 0));
  },
};

export const FEATURE = 3;
export const VALUE = 2;
export type Allowed = (batch: number, head: number, query: number, key: number) => boolean;
export type Pair = (batch: number, head: number, query: number, key: number, score: number) => number;

export interface Numbers {
  readonly q: number[];
  readonly k: number[];
  readonly v: number[];
}
export const numbers = (of: Lengths = sizes): Numbers => ({
  q: noise(of.batches * of.heads * of.queryLength * FEATURE, 1),
  k: noise(of.batches * of.keyHeads * of.keyLength * FEATURE, 2),
  v: noise(of.batches * of.keyHeads * of.keyLength * VALUE, 3),
});
export const upload = (bench: Bench, { q, k, v }: Numbers, of: Lengths = sizes): Record<string, View> => ({
  q: bench.full([of.batches, of.heads, of.queryLength, FEATURE], q),
  k: bench.full([of.batches, of.keyHeads, of.keyLength, FEATURE], k),
  v: bench.full([of.batches, of.keyHeads, of.keyLength, VALUE], v),
});
export const shapes = (of: Lengths = sizes) => ({
  context: [of.batches, of.heads, of.queryLength, VALUE],
  weights: [of.batches, of.heads, of.queryLength, of.keyLength],
});

/** Context and weights by plain loops. */
export function expected(
  normalize: (scores: readonly number[]) => number[],
  { q, k, v }: Numbers,
  allowed: Allowed = () => true,
  change: { readonly score?: Pair; readonly reweight?: Pair } = {},
): { context: number[]; weights: number[] } {
  const { batches, heads, keyHeads, queryLength, keyLength } = sizes;
  const context: number[] = [];
  const weights: number[] = [];
  for (let b = 0; b < batches; b++) {
    for (let h = 0; h < heads; h++) {
      const keyRow = (b * keyHeads + Math.floor((h * keyHeads) / heads)) * keyLength;
      for (let i = 0; i < queryLength; i++) {
        const keys = Array.from({ length: keyLength }, (_, j) => j).filter((j) => allowed(b, h, i, j));
        const scores = keys.map((j) => {
          let e = 0;
          for (let d = 0; d < FEATURE; d++) {
            e += q[((b * heads + h) * queryLength + i) * FEATURE + d]! * k[(keyRow + j) * FEATURE + d]!;
          }
          return change.score ? change.score(b, h, i, j, e * 0.5) : e * 0.5;
        });
        const found = normalize(scores).map(
          (a, n) => a * (change.reweight?.(b, h, i, keys[n]!, scores[n]!) ?? 1),
        );
        for (let j = 0; j < keyLength; j++) weights.push(keys.includes(j) ? found[keys.indexOf(j)]! : 0);
        for (let d = 0; d < VALUE; d++) {
          context.push(keys.reduce((sum, j, n) => sum + found[n]! * v[(keyRow + j) * VALUE + d]!, 0));
        }
      }
    }
  }
  return { context, weights };
}
