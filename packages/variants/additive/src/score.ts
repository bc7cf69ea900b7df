// The score of Bahdanau over keys that are projected already, with what may stand beside them inside the tanh.

import { defineScore, option } from '@heed/attention';
import { add, div, dot, mat, matvec, mul, norm, scalar, tanh, vec } from '@heed/expr';

/**
 * v . tanh(W q + k (+ c coverage)), where k is U h + b. With `normalized`, g v / |v| takes the place of v.
 *
 * `widths: 'separate'`: the key's width is that of the hidden layer.
 */
export const projectedScore = defineScore({
  name: 'additive-projected',
  widths: 'separate',
  options: {
    normalized: option.boolean({ default: false }),
    covered: option.boolean({ default: false }),
  },
  params: {
    w: mat('keyFeature', 'queryFeature'),
    v: vec('keyFeature'),
    g: scalar,
    c: vec('keyFeature'),
  },
  inputs: { coverage: { type: scalar, along: ['batch', 'key'] } },
  score: ({ q, k, params, inputs }, { normalized, covered }) => {
    const layer = add(matvec(params.w, q), k);
    const v = normalized ? mul(params.v, div(params.g, norm(params.v))) : params.v;
    return dot(v, tanh(covered ? add(layer, mul(inputs.coverage, params.c)) : layer));
  },
});
