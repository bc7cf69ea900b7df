// A score that reads the query alone.

import { defineScore } from '@heed/attention';
import { mat, matvec, pick } from '@heed/expr';

/**
 * (W q)[key]: the query says how much each position weighs, whatever the key holds. Luong, Pham, Manning 2015 (arXiv
 * 1508.04025), section 3.1, "location", a_t = softmax(W_a h_t).
 *
 * Parameter: `w` [positions, queryFeature] is the paper's W_a. There are as many positions as it has rows; shorter
 * sequences use the first of them.
 *
 * @throws ShapeError at a call with more keys than positions: the paper leaves out what lies beyond, which a call does
 *   by giving fewer keys.
 * @example locationBase({ positions: 50 })
 */
export const locationBase = defineScore({
  name: 'location-base',
  widths: 'separate',
  sizes: {
    /** The most keys there can be. */
    positions: 64,
  },
  params: { w: mat('positions', 'queryFeature') },
  refuse: ({ keyLength }, _options, _uniforms, { positions }) =>
    keyLength > (positions as number)
      ? `there are ${keyLength} keys and ${positions} positions, the rows of w. Give w more rows, or cut keys and values: ` +
        `key.slice(-2, 0, ${positions}).`
      : undefined,
  score: ({ q, key, params: { w } }) => pick(matvec(w, q), key),
});
