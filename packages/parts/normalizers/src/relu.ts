// The positive part of each score.

import { defineNormalizer } from '@heed/attention';
import { div, relu as positive } from '@heed/expr';

/**
 * max(score, 0) / divisor: each key weighed by itself. Wortsman et al. 2023 (arXiv 2309.08586), who divide by the number
 * of keys: `uniforms: { divisor: keyLength }`.
 *
 * @example attend(query, key, value, { uniforms: { divisor: keyLength } })
 */
export const relu = defineNormalizer({
  name: 'relu',
  uniforms: {
    /** What every weight is divided by. */
    divisor: { element: 'float', value: 1, above: 0 },
  },
  weight: ({ score, uniforms: { divisor } }) => div(positive(score), divisor),
  level: 'none',
});
