// The logarithm of a Laplace kernel on two rows.

import { defineScore } from '@heed/attention';
import { abs, div, neg, sub, sum } from '@heed/expr';

/**
 * -sum |q - k| / bandwidth. The Laplace attention of Kim et al. 2019 (Attentive Neural Processes, arXiv 1901.05761).
 * The derivative where q and k agree is 0.
 *
 * @throws ShapeError where the widths of query and key differ.
 * @example laplace({ bandwidth: 2 })
 */
export const laplace = defineScore({
  name: 'laplace',
  uniforms: {
    /** The distance over which a score falls by one. */
    bandwidth: { element: 'float', value: 1, above: 0 },
  },
  score: ({ q, k, uniforms: { bandwidth } }) => neg(div(sum(abs(sub(q, k))), bandwidth)),
});
