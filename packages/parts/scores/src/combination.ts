// A weight for each number of the rows and of what they give together.

import { defineScore, option } from '@heed/attention';
import { add, div, dot, type Expr, mul, type Scalar, scalar, sub, vec } from '@heed/expr';
import { activations } from './activation.ts';

/**
 * act(w . [x; y; x*y; ...] + b): AllenNLP's "linear", with the terms of its `combination`, query and key for its x and y:
 * `['q', 'k', 'q*k']` is its "x,y,x*y". `linear` is the score of the first two alone, for rows of unlike widths;
 * `trilinear` that of the first three.
 *
 * Parameters, each [feature], those of the terms: `wq`, `wk`, `wproduct`, `wsum`, `wdifference`, `wquotient`: AllenNLP's
 * one weight vector, cut. `b` is one number. A quotient is as large as a key's numbers are small.
 *
 * @throws ShapeError where the widths of query and key differ.
 * @example combination({ terms: ['q', 'k', 'q*k'], activation: 'tanh' })
 */
export const combination = defineScore({
  name: 'combination',
  options: {
    /** What is weighed. */
    terms: option.someOf('q', 'k', 'q*k', 'q+k', 'q-k', 'q/k'),
    /** Adds one trained number to every score. */
    bias: option.boolean({ default: false }),
    /** What the sum goes through. */
    activation: option.oneOf('none', 'tanh', 'relu', 'gelu', 'sigmoid'),
  },
  params: {
    wq: vec('feature'),
    wk: vec('feature'),
    wproduct: vec('feature'),
    wsum: vec('feature'),
    wdifference: vec('feature'),
    wquotient: vec('feature'),
    b: { type: scalar, initial: 0 },
  },
  score: ({ q, k, params }, { terms, bias, activation }) => {
    const parts: Readonly<Record<(typeof terms)[number], () => Expr<Scalar>>> = {
      q: () => dot(params.wq, q),
      k: () => dot(params.wk, k),
      'q*k': () => dot(mul(params.wproduct, q), k),
      'q+k': () => dot(params.wsum, add(q, k)),
      'q-k': () => dot(params.wdifference, sub(q, k)),
      'q/k': () => dot(params.wquotient, div(q, k)),
    };
    const sum = terms.map((term) => parts[term]()).reduce((a, b) => add(a, b));
    const all = bias ? add(sum, params.b) : sum;
    return activation === 'none' ? all : activations[activation](all);
  },
});
