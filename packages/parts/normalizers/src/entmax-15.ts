// Between softmax and sparsemax.

import { defineNormalizer } from '@heed/attention';
import { div, maximum, mul, rsqrt, square, sub } from '@heed/expr';

/**
 * max(score / 2 - level, 0)^2, with the level at which the weights of a row sum to one: sparse as sparsemax, smoother.
 * Peters, Niculae, Martins 2019 (arXiv 1905.05702), alpha = 1.5; the level is their threshold tau.
 *
 * @example attention({ score: scaledDot(), normalizer: entmax15() })
 */
export const entmax15 = defineNormalizer({
  name: 'entmax-1.5',
  weight: ({ score, level }) => square(maximum(sub(mul(score, 0.5), level), 0)),
  level: {
    // Here the largest score alone has weight one.
    low: ({ maximum }) => sub(div(maximum, 2), 1),
    // Here no score has more than an equal share.
    high: ({ maximum, count }) => sub(div(maximum, 2), rsqrt(count)),
  },
});
