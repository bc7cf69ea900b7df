// Content, and where the weights were before.

import { defineScore } from '@heed/attention';
import { add, dot, mat, matvec, tanh, vec } from '@heed/expr';

/**
 * v . tanh(W q + U k + F f + b): `additive` that also sees features f of the weights before. Chorowski et al. 2015 (arXiv
 * 1506.07503), section 2.1, equation 9; Tacotron 2 (arXiv 1712.05884) convolves the weights and their sum so far.
 *
 * The features are the state that a decoder keeps for each key: make them from the weights of the step before with
 * `locationFeatures`, and give them with each call. They have a gradient, through which earlier steps are trained.
 *
 * Parameters: `w` [hidden, queryFeature], `u` [hidden, keyFeature], `f` [hidden, channels] (the paper's U), `b` [hidden],
 * `v` [hidden]. Side input: `features` [batch, keyHead, key, channels], floats.
 *
 * @example attend(query, key, value, { params, inputs: { features: locationFeatures(weights, filters) } })
 */
export const locationSensitive = defineScore({
  name: 'location-sensitive',
  widths: 'separate',
  sizes: {
    /** Width of the hidden layer. */
    hidden: 64,
    /** How many features a key has. */
    channels: 10,
  },
  params: {
    w: mat('hidden', 'queryFeature'),
    u: mat('hidden', 'keyFeature'),
    f: mat('hidden', 'channels'),
    b: { type: vec('hidden'), initial: 0 },
    v: vec('hidden'),
  },
  inputs: { features: { type: vec('channels'), along: ['batch', 'keyHead', 'key'] } },
  score: ({ q, k, params: { w, u, f, b, v }, inputs: { features } }) =>
    dot(v, tanh(add(add(matvec(w, q), matvec(u, k)), add(matvec(f, features), b)))),
});
