// A bilinear form: the key is projected into the query's space.

import { defineScore, option } from '@heed/attention';
import { add, dot, mat, matvec, scalar, vec } from '@heed/expr';
import { activations } from './activation.ts';

/**
 * q . (W k). Luong, Pham, Manning 2015 (arXiv 1508.04025), section 3.1, "general". Query and key may differ in width.
 *
 * With `bias` and `activation` it is act(q . (W k) + b): AllenNLP's "bilinear", and the "activated general" of Brauwers,
 * Frasincar 2021 (arXiv 2203.14263), after Ma et al. 2017 (arXiv 1709.00893). With `keyBias` it is k . (Wᵀ q + c),
 * their "biased general", after Sordoni, Bachman, Bengio 2016 (arXiv 1606.02245): a prior that a key brings along.
 *
 * Parameters: `w` [queryFeature, keyFeature] is Luong's W_a; `b` is one number; `c` [keyFeature].
 *
 * @example general({ bias: true, activation: 'tanh' })
 */
export const general = defineScore({
  name: 'general',
  widths: 'separate',
  options: {
    /** Adds one trained number to every score. Softmax does not see it unless there is an activation. */
    bias: option.boolean({ default: false }),
    /** Adds a trained vector to the projected query, before it meets the key. */
    keyBias: option.boolean({ default: false }),
    /** What the form and its bias go through. */
    activation: option.oneOf('none', 'tanh', 'relu', 'gelu', 'sigmoid'),
  },
  params: {
    w: mat('queryFeature', 'keyFeature'),
    b: { type: scalar, initial: 0 },
    c: { type: vec('keyFeature'), initial: 0 },
  },
  score: ({ q, k, params }, { bias, keyBias, activation }) => {
    const bare = dot(q, matvec(params.w, k));
    const form = keyBias ? add(bare, dot(params.c, k)) : bare;
    const all = bias ? add(form, params.b) : form;
    return activation === 'none' ? all : activations[activation](all);
  },
});
