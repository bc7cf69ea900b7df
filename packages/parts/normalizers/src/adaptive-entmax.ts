// Entmax that learns how sparse to be.

import { defineNormalizer } from '@heed/attention';
import { div, type Expr, gt, mul, neg, pow, type Scalar, scalar, select, sigmoid, sub } from '@heed/expr';

/**
 * `entmax` with an alpha for each head, 1 + sigmoid(a): between softmax and sparsemax, and trained. Correia, Niculae, Martins
 * 2019 (adaptively sparse transformers, arXiv 1909.00015), section 3.2.
 *
 * Parameter: `alphas` [head], the a above; they start at 0, alpha = 1.5. Far below -4 the power 1 / (alpha - 1) is beyond what
 * floats of 32 bits can tell from softmax, and its gradient is noise: there take `softmax`.
 *
 * @example attention({ score: scaledDot(), normalizer: adaptiveEntmax() })
 */
export const adaptiveEntmax = defineNormalizer({
  name: 'adaptive-entmax',
  params: { alphas: { type: scalar, along: ['head'], initial: 0 } },
  weight: ({ score, level, params }) => {
    const beyond = sigmoid(params.alphas);
    const above = sub(mul(score, beyond), level);
    return select(gt(above, 0), pow(above, div(1, beyond)), 0);
  },
  level: {
    // Here the largest score alone has weight one.
    low: ({ maximum, params }) => sub(mul(maximum, sigmoid(params.alphas)), 1),
    // Here no score has more than an equal share.
    high: ({ maximum, count, params }) => {
      const beyond: Expr<Scalar> = sigmoid(params.alphas);
      return sub(mul(maximum, beyond), pow(count, neg(beyond)));
    },
  },
});
