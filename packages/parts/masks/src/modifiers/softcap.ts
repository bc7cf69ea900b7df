// A score that levels off.

import { defineModifier } from '@heed/attention';
import { div, mul, tanh } from '@heed/expr';

/**
 * cap * tanh(score / cap): no score passes the cap, and small ones hardly change. Bello et al. 2017 (arXiv 1611.09940);
 * Gemma 2 (arXiv 2408.00118), section 2, with a cap of 50.
 *
 * @example softcap({ cap: 50 })
 */
export const softcap = defineModifier({
  name: 'softcap',
  uniforms: {
    /** What the score levels off at. */
    cap: { element: 'float', value: 50, above: 0 },
  },
  modify: ({ score, uniforms: { cap } }) => mul(cap, tanh(div(score, cap))),
});
