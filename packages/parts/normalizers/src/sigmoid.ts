// Each key weighed by itself.

import { defineNormalizer, option } from '@heed/attention';
import { add, sigmoid as logistic, scalar } from '@heed/expr';

/**
 * 1 / (1 + exp(-(score + shift))): each weight lies between 0 and 1 and knows nothing of the others. Ramapuram et al.
 * 2024 (arXiv 2409.04431), whose b is `shift`: they advise -log(number of keys), so that a row begins near a sum of one.
 *
 * With `bias: 'learned'` each head also has a trained b, added to `shift`.
 *
 * Parameter, with `bias: 'learned'`: `shifts` [head]; they start at 0.
 *
 * @example attend(query, key, value, { uniforms: { shift: -Math.log(keyLength) } })
 */
export const sigmoid = defineNormalizer({
  name: 'sigmoid',
  options: {
    /** The uniform `shift` alone, or a trained number for each head as well. */
    bias: option.oneOf('shift', 'learned'),
  },
  params: { shifts: { type: scalar, along: ['head'], initial: 0 } },
  uniforms: {
    /** Added to every score. Not called bias: that is the tensor of the modifier `bias`. */
    shift: 0,
  },
  weight: ({ score, params, uniforms: { shift } }, { bias }) =>
    logistic(add(score, bias === 'learned' ? add(params.shifts, shift) : shift)),
  level: 'none',
});
