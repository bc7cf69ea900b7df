// The dot product, divided by the square root of the width.

import { defineScore, option } from '@heed/attention';
import { div, dot, mul, sqrt } from '@heed/expr';

/**
 * q . k / sqrt(feature). Vaswani et al. 2017 (arXiv 1706.03762), section 3.2.1, equation 1.
 *
 * `scale` takes the place of 1 / sqrt(feature): 1 for T5, 1 / feature for muP. It is a constant of a model and so an
 * option. A number that moves from call to call is the modifier `temperature`, a trained one is `learnedScale`.
 *
 * @throws ShapeError where the widths of query and key differ.
 * @example scaledDot({ scale: 0.125 })
 */
export const scaledDot = defineScore({
  name: 'scaled-dot',
  options: {
    /** What the dot product is multiplied with, instead of 1 / sqrt(feature). */
    scale: option.number({ optional: true }),
  },
  score: ({ q, k, size }, { scale }) =>
    scale === undefined ? div(dot(q, k), sqrt(size('feature'))) : mul(dot(q, k), scale),
});
