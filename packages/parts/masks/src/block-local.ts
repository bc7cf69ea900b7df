// Blocks that see themselves, and the blocks beside them.

import { defineMask, option } from '@heed/attention';
import { abs, floorDiv, le, sub } from '@heed/expr';
import { alignment, position } from './alignment.ts';

/**
 * |floor(query / block) - floor(key / block)| <= neighbours: the sequence is cut into blocks. With no neighbours they do
 * not see each other: Qiu et al. 2020 (arXiv 1911.02972). With one on either side it is the window of BigBird, Zaheer et
 * al. 2020 (arXiv 2007.14062), whose other pairs are `randomBlocks` and `globalPrefix`.
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
    /** How many blocks on either side are seen as well. */
    neighbours: option.integer({ min: 0, default: 0 }),
  },
  allowed: (at, options) =>
    le(
      abs(sub(floorDiv(position(at, options), options.block), floorDiv(at.key, options.block))),
      options.neighbours,
    ),
});
