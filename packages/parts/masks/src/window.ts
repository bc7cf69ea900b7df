// Keys near the query.

import { defineMask, option } from '@heed/attention';
import { add, and, ge, le, sub } from '@heed/expr';
import { alignment, position } from './alignment.ts';

/**
 * query - left <= key <= query + right: left + 1 + right keys, both ends inclusive. Beltagy, Peters, Cohan 2020
 * (Longformer, arXiv 2004.05150), section 3.1. A causal window of W keys, as in Mistral, is `window({ left: W - 1,
 * right: 0 })`. FlashAttention's `window_size` and JAX's `local_window_size` are (left, right).
 *
 * Alignment is as for `causal`.
 *
 * @throws ShapeError at a call whose lengths differ where neither `align` nor `offset` was given.
 * @example window({ left: 2, right: 2 })
 */
export const window = defineMask({
  name: 'window',
  ...alignment,
  options: {
    ...alignment.options,
    /** How many keys before the query's own. */
    left: option.integer({ min: 0 }),
    /** How many keys after the query's own. */
    right: option.integer({ min: 0 }),
  },
  allowed: (at, options) => {
    const here = position(at, options);
    return and(ge(at.key, sub(here, options.left)), le(at.key, add(here, options.right)));
  },
});
