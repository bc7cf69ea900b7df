// The distance between two rows.

import { defineScore, option } from '@heed/attention';
import { div, mul, neg, norm, sqrt, square, sub, sum } from '@heed/expr';

/**
 * -|q - k|² / sqrt(feature): the L2 attention of Kim, Papamakarios, Mnih 2021 (arXiv 2006.04710), section 3.2, whose
 * change is bounded where that of a dot product is not. `gaussian` says the same with a bandwidth.
 *
 * With `squared: false` it is the distance itself, -|q - k| / sqrt(feature); its derivative where q and k agree is 0.
 * `scale` takes the place of 1 / sqrt(feature).
 *
 * Sums squares of differences, and not |q|² + |k|² - 2 q . k, which cancels where q and k are near.
 *
 * @throws ShapeError where the widths of query and key differ.
 * @example l2Distance()
 */
export const l2Distance = defineScore({
  name: 'l2-distance',
  options: {
    /** The square of the distance, or the distance. */
    squared: option.boolean({ default: true }),
    /** What the distance is multiplied with, instead of 1 / sqrt(feature). */
    scale: option.number({ optional: true }),
  },
  score: ({ q, k, size }, { squared, scale }) => {
    const away = squared ? sum(square(sub(q, k))) : norm(sub(q, k));
    return neg(scale === undefined ? div(away, sqrt(size('feature'))) : mul(away, scale));
  },
});
