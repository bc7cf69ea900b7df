// Weights in proportion to the exponentials of the scores.

import { defineNormalizer, option } from '@heed/attention';
import { exp, scalar, sub } from '@heed/expr';

/**
 * exp(score - level), with level = log sum exp of the row's scores: weights are positive and sum to one. Right for any
 * finite scores, however large.
 *
 * A `sink` is one more key that has no value, so that a row may give away weight: with `'zero'` its score is 0, and
 * a_j = exp(e_j) / (1 + sum exp(e)) ("softmax-plus-one", Miller 2023, "Attention is off by one"); with `'learned'` each
 * head has a score of its own, as in gpt-oss (arXiv 2508.10925); with `'given'` a call brings the scores along. After Xiao
 * et al. 2024 (arXiv 2309.17453).
 *
 * Parameter, with `sink: 'learned'`: `sinks` [head]; they start at 0. Side input, with `sink: 'given'`: `sinkScores` [batch,
 * head, query], floats, with a gradient; for one a head, [head, 1].
 *
 * @example attention({ score: scaledDot(), normalizer: softmax({ sink: 'learned' }) })
 */
export const softmax = defineNormalizer({
  name: 'softmax',
  options: {
    /** The score of a key without a value: there is none, it is 0, it is trained, or comes with the call. */
    sink: option.oneOf('none', 'zero', 'learned', 'given'),
  },
  params: { sinks: { type: scalar, along: ['head'], initial: 0 } },
  inputs: { sinkScores: { type: scalar, along: ['batch', 'head', 'query'] } },
  weight: ({ score, level }) => exp(sub(score, level)),
  level: 'log-sum-exp',
  sink: ({ params, inputs }, { sink }) =>
    ({ none: () => null, zero: () => 0, learned: () => params.sinks, given: () => inputs.sinkScores })[
      sink
    ](),
});
