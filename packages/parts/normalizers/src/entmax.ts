// The family from softmax over sparsemax to ever sparser weights.

import { defineNormalizer, option } from '@heed/attention';
import { gt, mul, pow, select, sub } from '@heed/expr';

/**
 * max((alpha - 1) score - level, 0)^(1 / (alpha - 1)), with the level at which the weights of a row sum to one. Peters,
 * Niculae, Martins 2019 (arXiv 1905.05702). alpha = 2 is sparsemax and 1.5 is entmax-1.5, which say the same with
 * cheaper arithmetic; towards 1 it becomes softmax.
 *
 * @example entmax({ alpha: 1.25 })
 */
export const entmax = defineNormalizer({
  name: 'entmax',
  options: {
    /** The larger, the sparser. */
    alpha: option.number({ min: 1, open: true }),
  },
  weight: ({ score, level }, { alpha }) => {
    const above = sub(mul(score, alpha - 1), level);
    // The power's slope at 0 is infinite for alpha > 2; a weight of zero must pass no gradient.
    return select(gt(above, 0), pow(above, 1 / (alpha - 1)), 0);
  },
  level: {
    // Here the largest score alone has weight one.
    low: ({ maximum }, { alpha }) => sub(mul(maximum, alpha - 1), 1),
    // Here no score has more than an equal share.
    high: ({ maximum, count }, { alpha }) => sub(mul(maximum, alpha - 1), pow(count, 1 - alpha)),
  },
});
