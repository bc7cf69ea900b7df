// A bilinear form: the key is projected into the query's space.

import { defineScore, option } from '@heed/attention';
import { add, dot, mat, matvec, scalar } from '@heed/expr';

/**
 * q . (W k), and + b with `bias`. Luong, Pham, Manning 2015 (arXiv 1508.04025), section 3.1, "general"; with a bias
 * it is AllenNLP's "bilinear". Query and key may differ in width.
 *
 * Parameters: `w` [queryFeature, keyFeature] is the paper's W_a; `b` is one number.
 *
 * @example general({ bias: true })
 */
export const general = defineScore({
  name: 'general',
  widths: 'separate',
  options: {
    /** Adds one trained number to every score. Softmax does not see it; sigmoid and relu do. */
    bias: option.boolean({ default: false }),
  },
  params: { w: mat('queryFeature', 'keyFeature'), b: { type: scalar, initial: 0 } },
  score: ({ q, k, params }, { bias }) => {
    const form = dot(q, matvec(params.w, k));
    return bias ? add(form, params.b) : form;
  },
});
