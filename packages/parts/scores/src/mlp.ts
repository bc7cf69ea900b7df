// A perceptron with several hidden layers over query and key.

import { defineScore, option } from '@heed/attention';
import { add, dot, mat, matvec, vec } from '@heed/expr';
import { activations } from './activation.ts';

/**
 * v . h_n, with h_1 = act(W q + U k + b) and h_(i+1) = act(W_(i+1) h_i + b_(i+1)): the alignment model of Bahdanau, Cho,
 * Bengio 2015 (arXiv 1409.0473), section 3.1, "a feedforward neural network", with as many hidden layers as asked for. With
 * one layer and tanh it is `additive` with a bias. Query and key may differ in width.
 *
 * The first layer is taken apart into what each row brings, made once a row. Every further layer is a product of hidden
 * by hidden numbers for each pair: with 64 of them, the cost of an attention over rows 4096 wide.
 *
 * Parameters: `w` [hidden, queryFeature], `u` [hidden, keyFeature], `b` [hidden], `v` [hidden], and for each layer above
 * the first `w2` to `w4` [hidden, hidden], `b2` to `b4` [hidden].
 *
 * @example mlp({ hidden: 16, layers: 2, activation: 'relu' })
 */
export const mlp = defineScore({
  name: 'mlp',
  widths: 'separate',
  options: {
    /** How many hidden layers. */
    layers: option.integer({ min: 1, max: 4, default: 2 }),
    /** What the sums of a layer go through. */
    activation: option.oneOf('tanh', 'relu', 'gelu', 'sigmoid'),
  },
  sizes: {
    /** Width of each hidden layer. */
    hidden: 16,
  },
  params: {
    w: mat('hidden', 'queryFeature'),
    u: mat('hidden', 'keyFeature'),
    b: { type: vec('hidden'), initial: 0 },
    v: vec('hidden'),
    w2: mat('hidden', 'hidden'),
    b2: { type: vec('hidden'), initial: 0 },
    w3: mat('hidden', 'hidden'),
    b3: { type: vec('hidden'), initial: 0 },
    w4: mat('hidden', 'hidden'),
    b4: { type: vec('hidden'), initial: 0 },
  },
  score: ({ q, k, params }, { layers, activation }) => {
    const act = activations[activation];
    const deeper = [
      { w: 'w2', b: 'b2' },
      { w: 'w3', b: 'b3' },
      { w: 'w4', b: 'b4' },
    ] as const;
    const first = act(add(add(matvec(params.w, q), matvec(params.u, k)), params.b));
    const last = deeper
      .slice(0, layers - 1)
      .reduce((below, { w, b }) => act(add(matvec(params[w], below), params[b])), first);
    return dot(params.v, last);
  },
});
