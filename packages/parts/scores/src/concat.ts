// A hidden layer over the two rows end to end.

import { defineScore } from '@heed/attention';
import { dot, concat as join, mat, matvec, tanh, vec } from '@heed/expr';

/**
 * v . tanh(W [q; k]). Luong, Pham, Manning 2015 (arXiv 1508.04025), section 3.1, "concat". It is `additive` with
 * W = [W, U], and costs the same: the product is split into its two halves ahead of the pairs.
 *
 * Parameters: `w` [hidden, queryFeature + keyFeature] is the paper's W_a, `v` [hidden] its v_a.
 *
 * @example concat({ hidden: 32 })
 */
export const concat = defineScore({
  name: 'concat',
  widths: 'separate',
  sizes: {
    /** Width of the hidden layer. */
    hidden: 64,
  },
  params: { w: mat('hidden', 'queryFeature+keyFeature'), v: vec('hidden') },
  score: ({ q, k, params: { w, v } }) => dot(v, tanh(matvec(w, join(q, k)))),
});
