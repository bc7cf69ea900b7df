// The first positions, which see and are seen by all.

import { defineMask, option } from '@heed/attention';
import { lt, or } from '@heed/expr';
import { alignment, position } from './alignment.ts';

/**
 * key < positions, or query < positions: the global positions of BigBird (Zaheer et al. 2020, arXiv 2007.14062, section 2, "internal
 * transformer construction") and of Longformer's classification token. With `side: 'keys'` everyone sees them and they see
 * nobody else: the attention sinks of StreamingLLM (Xiao et al. 2024, arXiv 2309.17453), `allOf(causal(),
 * anyOf(window({ left: 1023, right: 0 }), globalPrefix({ positions: 4, side: 'keys' })))`.
 *
 * For positions elsewhere see `globalWindow`. Alignment is as for `causal`; with `side: 'keys'` it does not matter, and is
 * not asked for.
 *
 * @throws ShapeError at a call whose lengths differ where neither `align` nor `offset` was given.
 * @example globalPrefix({ positions: 1 })
 */
export const globalPrefix = defineMask({
  name: 'global-prefix',
  ...alignment,
  options: {
    ...alignment.options,
    /** How many positions. */
    positions: option.integer({ min: 0 }),
    /** Rows and columns, or the columns of these keys alone. */
    side: option.oneOf('both', 'keys'),
  },
  refuse: (lengths, options, uniforms) =>
    options.side === 'keys' ? undefined : alignment.refuse(lengths, options, uniforms),
  allowed: (at, options) => {
    const seen = lt(at.key, options.positions);
    return options.side === 'keys' ? seen : or(seen, lt(position(at, options), options.positions));
  },
});
