// How much the weights of a row differ.

import { defineModifier } from '@heed/attention';
import { div } from '@heed/expr';

/**
 * score / temperature: above 1 the weights draw together, below 1 apart. Hinton, Vinyals, Dean 2015 (arXiv 1503.02531),
 * section 2.
 *
 * A uniform, for what moves from call to call. A trained number is `learnedScale`.
 *
 * @example attend(query, key, value, { uniforms: { temperature: 0.5 } })
 */
export const temperature = defineModifier({
  name: 'temperature',
  uniforms: {
    /** What scores are divided by. */
    temperature: { element: 'float', value: 1, above: 0 },
  },
  modify: ({ score, uniforms: { temperature } }) => div(score, temperature),
});
