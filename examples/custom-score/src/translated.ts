// A key is relevant if it lies where the query points to.

import { defineScore, formula } from 'heed';

const { add, mul, neg, norm, sub, vec } = formula;

/**
 * -sharpness |q + r - k|: the distance from the key to the query moved by a trained translation r. The energy of TransE
 * (Bordes et al. 2013, "Translating embeddings for modeling multi-relational data"), with one relation.
 *
 * Parameter: `r` [feature]; it starts at 0, where each query looks for keys like itself.
 *
 * @example translated({ sharpness: 4 })
 */
export const translated = defineScore({
  name: 'translated',
  params: { r: { type: vec('feature'), initial: 0 } },
  uniforms: {
    /** How much a distance of 1 counts. */
    sharpness: { element: 'float', value: 1, above: 0 },
  },
  score: ({ q, k, params: { r }, uniforms: { sharpness } }) => neg(mul(sharpness, norm(sub(add(q, r), k)))),
});
