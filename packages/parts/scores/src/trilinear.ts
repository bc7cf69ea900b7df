// A weight for each number of the two rows and of their product.

import { defineScore, option } from '@heed/attention';
import { add, dot, mul, scalar, vec } from '@heed/expr';

/**
 * w_q . q + w_k . k + w_qk . (q * k), and + b with `bias`. Seo et al. 2017 (BiDAF, arXiv 1611.01603), whose one vector
 * of three parts is given here as three; AllenNLP's "linear" with the combination "x,y,x*y".
 *
 * Parameters: `wq`, `wk`, `wqk` [feature], `b` one number.
 *
 * @throws ShapeError where the widths of query and key differ.
 * @example trilinear()
 */
export const trilinear = defineScore({
  name: 'trilinear',
  options: {
    /** Adds one trained number to every score. */
    bias: option.boolean({ default: false }),
  },
  params: { wq: vec('feature'), wk: vec('feature'), wqk: vec('feature'), b: { type: scalar, initial: 0 } },
  score: ({ q, k, params }, { bias }) => {
    const all = add(add(dot(params.wq, q), dot(params.wk, k)), dot(mul(params.wqk, q), k));
    return bias ? add(all, params.b) : all;
  },
});
