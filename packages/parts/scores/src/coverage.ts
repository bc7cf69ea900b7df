// Content, and how much weight each key has had so far.

import { defineScore } from '@heed/attention';
import { add, dot, mat, matvec, mul, scalar, tanh, vec } from '@heed/expr';
import { minimum, sum, type Tensor } from '@heed/tensor';

/**
 * v . tanh(U k_j + W q + wc * coverage_j + b): `additive` that also sees how much weight a key has had. See, Liu, Manning
 * 2017 (pointer-generator networks, arXiv 1704.04368), section 2.3, equation 11; Tu et al. 2016 (arXiv 1601.04811).
 *
 * Coverage is the state that a decoder keeps for each key: it begins with zeros, and after each step the weights are added
 * to it: `coverage = add(coverage, weights)`. It has a gradient. `coverageLoss` is what keeps a decoder from repeating.
 *
 * Parameters: `w` [hidden, queryFeature] (the paper's W_s), `u` [hidden, keyFeature] (W_h), `wc` [hidden] (w_c), `b`
 * [hidden], `v` [hidden]. Side input: `coverage` [batch, keyHead, key], floats.
 *
 * @example attend(query, key, value, { params, inputs: { coverage }, weights: true })
 */
export const coverage = defineScore({
  name: 'coverage',
  widths: 'separate',
  sizes: {
    /** Width of the hidden layer. */
    hidden: 64,
  },
  params: {
    w: mat('hidden', 'queryFeature'),
    u: mat('hidden', 'keyFeature'),
    wc: vec('hidden'),
    b: { type: vec('hidden'), initial: 0 },
    v: vec('hidden'),
  },
  inputs: { coverage: { type: scalar, along: ['batch', 'keyHead', 'key'] } },
  score: ({ q, k, params: { w, u, wc, b, v }, inputs: { coverage: had } }) =>
    dot(v, tanh(add(add(matvec(w, q), matvec(u, k)), add(mul(wc, had), b)))),
});

/**
 * sum over keys of min(weight, coverage): what a step gives to keys that have had it already. See, Liu, Manning 2017,
 * equation 12. At most one for weights that sum to one.
 *
 * @param weights of a step, [..., key].
 * @param before the coverage before that step, [..., key].
 * @returns [...], to be averaged over steps and added to the loss.
 */
export const coverageLoss = (weights: Tensor, before: Tensor): Tensor =>
  sum(minimum(weights, before), { axis: -1 });
