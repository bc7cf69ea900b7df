// A hidden layer over query and key.

import { defineScore, option } from '@heed/attention';
import { add, div, dot, mat, matvec, mul, norm, scalar, tanh, vec } from '@heed/expr';

/**
 * v . tanh(W q + U k). Bahdanau, Cho, Bengio 2015 (arXiv 1409.0473), appendix A.1.2. Query and key may differ in width.
 *
 * Parameters, as in the paper: `w` [hidden, queryFeature], `u` [hidden, keyFeature], `v` [hidden]; rows are hidden
 * units, so a kernel from Keras or TensorFlow is transposed first. With `bias`, `b` [hidden] is added inside the tanh.
 * With `normalized`, g v / |v| takes the place of v: weight normalization, Salimans, Kingma 2016 (arXiv 1602.07868), as
 * in TensorFlow Addons' `normalize=True`. `g` is one number and starts at 1, where a fresh v has about that length.
 *
 * @example additive({ hidden: 128, bias: true })
 */
export const additive = defineScore({
  name: 'additive',
  widths: 'separate',
  options: {
    /** Adds a trained vector inside the tanh. */
    bias: option.boolean({ default: false }),
    /** Separates the length of v from its direction. */
    normalized: option.boolean({ default: false }),
  },
  sizes: {
    /** Width of the hidden layer. */
    hidden: 64,
  },
  params: {
    w: mat('hidden', 'queryFeature'),
    u: mat('hidden', 'keyFeature'),
    v: vec('hidden'),
    b: { type: vec('hidden'), initial: 0 },
    g: { type: scalar, initial: 1 },
  },
  score: ({ q, k, params }, { bias, normalized }) => {
    const layer = add(matvec(params.w, q), matvec(params.u, k));
    const v = normalized ? mul(params.v, div(params.g, norm(params.v))) : params.v;
    return dot(v, tanh(bias ? add(layer, params.b) : layer));
  },
});
