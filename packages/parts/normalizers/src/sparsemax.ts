// The projection of the scores onto the simplex: most weights are exactly zero.

import { defineNormalizer } from '@heed/attention';
import { div, maximum, sub } from '@heed/expr';

/**
 * max(score - level, 0), with the level at which the weights of a row sum to one: the point of the simplex nearest to
 * the scores. Martins, Astudillo 2016 (arXiv 1602.02068); the level is their threshold tau.
 *
 * @example attention({ score: scaledDot(), normalizer: sparsemax() })
 */
export const sparsemax = defineNormalizer({
  name: 'sparsemax',
  weight: ({ score, level }) => maximum(sub(score, level), 0),
  level: {
    // Here the largest score alone has weight one.
    low: ({ maximum }) => sub(maximum, 1),
    // Here no score has more than an equal share.
    high: ({ maximum, count }) => sub(maximum, div(1, count)),
  },
});
