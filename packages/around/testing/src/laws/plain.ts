// The plainest parts, to try one part with: laws about a mask should not depend on a package of scores.

import { defineMask, defineModifier, defineNormalizer, defineScore } from '@heed/attention';
import { bool, dot, exp, mul, scalar, sub } from '@heed/expr';

/** q . k. */
export const plainDot = defineScore({ name: 'plain-dot', score: ({ q, k }) => dot(q, k) });

/** A score for each pair, given. */
export const givenScore = defineScore({
  name: 'given-score',
  inputs: { givenScores: { type: scalar, along: ['batch', 'head', 'query', 'key'] } },
  score: ({ inputs: { givenScores } }) => givenScores,
});

/** exp(score - log sum exp). */
export const plainSoftmax = defineNormalizer({
  name: 'plain-softmax',
  weight: ({ score, level }) => exp(sub(score, level)),
  level: 'log-sum-exp',
});

/** One for every key that takes part. */
export const one = defineNormalizer({ name: 'one', weight: () => 1, level: 'none' });

/** Pairs, given. */
export const givenPairs = defineMask({
  name: 'given-pairs',
  inputs: { givenPairs: { type: bool, along: ['batch', 'head', 'query', 'key'] } },
  allowed: ({ inputs: { givenPairs } }) => givenPairs,
});

/** Twice the score. */
export const doubled = defineModifier({ name: 'doubled', modify: ({ score }) => mul(score, 2) });
