// The logarithm of a Gaussian kernel on two rows.

import { defineScore } from '@heed/attention';
import { div, mul, neg, square, sub, sum } from '@heed/expr';

/**
 * -|q - k|^2 / (2 bandwidth^2). With softmax this is Nadaraya-Watson regression with a Gaussian kernel (Nadaraya 1964,
 * Watson 1964); as a score of attention: L2 attention, Kim, Papamakarios, Mnih 2021 (arXiv 2006.04710).
 *
 * @throws ShapeError where the widths of query and key differ.
 * @example gaussian({ bandwidth: 0.5 })
 */
export const gaussian = defineScore({
  name: 'gaussian',
  uniforms: {
    /** The kernel's standard deviation. */
    bandwidth: { element: 'float', value: 1, above: 0 },
  },
  score: ({ q, k, uniforms: { bandwidth } }) => neg(div(sum(square(sub(q, k))), mul(2, square(bandwidth)))),
});
