// The cosine of the angle between two rows.

import { defineScore, option } from '@heed/attention';
import { div, dot, maximum, mul, norm, scalar } from '@heed/expr';

/** Below this length a row counts as this long, so that a zero row scores 0: the epsilon of PyTorch's cosine_similarity. */
const shortest = 1e-8;

/**
 * beta (q . k) / (|q| |k|). Graves, Wayne, Danihelka 2014 (arXiv 1410.5401), section 3.3.1, content addressing. A row of
 * zeros scores 0.
 *
 * `beta`, the paper's key strength and one over the temperature of others, is a uniform: `attend(query, key, value, {
 * uniforms: { beta: 10 } })`. With `strength: 'given'` there is one for each query, as the paper's controller emits it.
 * For a trained one add the modifier `learnedScale`.
 *
 * Side input, with `strength: 'given'`: `strengths` [batch, head, query], floats, with a gradient.
 *
 * @throws ShapeError where the widths of query and key differ.
 * @example cosine({ beta: 10 })
 */
export const cosine = defineScore({
  name: 'cosine',
  options: {
    /** One beta for the call, or the side input `strengths`. */
    strength: option.oneOf('beta', 'given'),
  },
  inputs: { strengths: { type: scalar, along: ['batch', 'head', 'query'] } },
  uniforms: {
    /** How sharply the weights follow the angle. */
    beta: 1,
  },
  score: ({ q, k, inputs, uniforms }, { strength }) =>
    mul(
      strength === 'given' ? inputs.strengths : uniforms.beta,
      dot(div(q, maximum(norm(q), shortest)), div(k, maximum(norm(k), shortest))),
    ),
});
