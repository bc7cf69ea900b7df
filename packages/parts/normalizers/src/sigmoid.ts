// Each key weighed by itself.

import { defineNormalizer } from '@heed/attention';
import { add, sigmoid as logistic } from '@heed/expr';

/**
 * 1 / (1 + exp(-(score + shift))): each weight lies between 0 and 1 and knows nothing of the others. Ramapuram et al.
 * 2024 (arXiv 2409.04431), whose b is `shift`: they advise -log(number of keys), so that a row begins near a sum of one.
 *
 * @example attend(query, key, value, { uniforms: { shift: -Math.log(keyLength) } })
 */
export const sigmoid = defineNormalizer({
  name: 'sigmoid',
  uniforms: {
    /** Added to every score. Not called bias: that is the tensor of the modifier `bias`. */
    shift: 0,
  },
  weight: ({ score, uniforms: { shift } }) => logistic(add(score, shift)),
  level: 'none',
});
