// A weight for each number of the two rows.

import { defineScore, option } from '@heed/attention';
import { add, dot, scalar, vec } from '@heed/expr';

/**
 * w_q . q + w_k . k, and + b with `bias`: AllenNLP's "linear" with the combination "x,y". Query and key may differ in
 * width. Softmax cancels what the query alone contributes; with their product it does not: see `trilinear`.
 *
 * Parameters: `wq` [queryFeature], `wk` [keyFeature], `b` one number.
 *
 * @example linear({ bias: true })
 */
export const linear = defineScore({
  name: 'linear',
  widths: 'separate',
  options: {
    /** Adds one trained number to every score. */
    bias: option.boolean({ default: false }),
  },
  params: { wq: vec('queryFeature'), wk: vec('keyFeature'), b: { type: scalar, initial: 0 } },
  score: ({ q, k, params }, { bias }) => {
    const both = add(dot(params.wq, q), dot(params.wk, k));
    return bias ? add(both, params.b) : both;
  },
});
