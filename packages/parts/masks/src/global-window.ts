// Keys near the query, and a few positions that see and are seen by all.

import { defineMask, option } from '@heed/attention';
import { abs, eq, le, or, sub } from '@heed/expr';
import { alignment, position } from './alignment.ts';

/**
 * |query - key| <= window, or the query or the key is one of `global`. Beltagy, Peters, Cohan 2020 (Longformer, arXiv
 * 2004.05150), section 3.1, "global attention". The window is one-sided: 2 window + 1 keys.
 *
 * The formula grows with the list: for more than a handful of positions give the pairs with `allowed`. Alignment is as
 * for `causal`; `global` counts along the keys.
 *
 * @throws ShapeError at a call whose lengths differ where neither `align` nor `offset` was given.
 * @example globalWindow({ window: 2, global: [0] })
 */
export const globalWindow = defineMask({
  name: 'global-window',
  ...alignment,
  options: {
    ...alignment.options,
    /** How many keys on either side. */
    window: option.integer({ min: 0 }),
    /** Positions that see every key and that every query sees. */
    global: option.integers({ min: 0 }),
  },
  allowed: (at, options) => {
    const here = position(at, options);
    const near = le(abs(sub(here, at.key)), options.window);
    return or(near, ...options.global.flatMap((one) => [eq(here, one), eq(at.key, one)]));
  },
});
