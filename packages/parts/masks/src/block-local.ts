// Blocks that see themselves only.

import { defineMask, option } from '@heed/attention';
import { eq, floorDiv } from '@heed/expr';
import { alignment, position } from './alignment.ts';

/**
 * floor(query / block) = floor(key / block): the sequence is cut into blocks that do not see each other. Qiu et al.
 * 2020 (arXiv 1911.02972).
 *
 * Alignment is as for `causal`.
 *
 * @throws ShapeError at a call whose lengths differ where neither `align` nor `offset` was given.
 * @example blockLocal({ block: 64 })
 */
export const blockLocal = defineMask({
  name: 'block-local',
  ...alignment,
  options: {
    ...alignment.options,
    /** The number of keys in a block. */
    block: option.integer({ min: 1 }),
  },
  allowed: (at, options) =>
    eq(floorDiv(position(at, options), options.block), floorDiv(at.key, options.block)),
});
