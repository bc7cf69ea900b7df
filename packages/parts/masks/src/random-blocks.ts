// Blocks drawn by lot.

import { defineMask, option } from '@heed/attention';
import { add, eq, floorDiv, mod, mul, or, random, toInt } from '@heed/expr';
import { alignment, position } from './alignment.ts';

/** `random` gives multiples of 2^-24: as ints they are exact, and the same on every backend. */
const steps = 2 ** 24;

/**
 * floor(key / block) is one of `draws` blocks drawn for the query's block and head. Zaheer et al. 2020 (BigBird, arXiv
 * 2007.14062), section 2, with the window and the global positions as masks of their own: `anyOf(randomBlocks({ block: 64,
 * draws: 3 }), blockLocal({ block: 64, neighbours: 1 }), globalPrefix({ positions: 128 }))`.
 *
 * Drawn with replacement from all blocks of keys, so that a query sees at most `draws` of them (the paper's code draws among
 * those that the other masks leave out). The draw depends on `blockSeed`, head and the query's block alone, and on how many
 * blocks there are: one seed, one pattern, on every backend. Give each layer a seed of its own.
 *
 * Alignment is as for `causal`.
 *
 * @throws ShapeError at a call whose lengths differ where neither `align` nor `offset` was given.
 * @example randomBlocks({ block: 64, draws: 3, blockSeed: 7 })
 */
export const randomBlocks = defineMask({
  name: 'random-blocks',
  ...alignment,
  options: {
    ...alignment.options,
    /** The number of keys in a block. */
    block: option.integer({ min: 1 }),
    /** How many blocks are drawn. */
    draws: option.integer({ min: 1, max: 64 }),
  },
  uniforms: {
    ...alignment.uniforms,
    /** Decides the draws. */
    blockSeed: { element: 'int', value: 0 },
  },
  allowed: (at, options) => {
    const { key, head, keyLength, uniforms } = at;
    const { block, draws } = options;
    const blocks = floorDiv(add(keyLength, block - 1), block);
    const own = floorDiv(position(at, options), block);
    const drawn = Array.from({ length: draws }, (_, n) => {
      const lot = random(uniforms.blockSeed, add(mul(head, draws), n), own, 0);
      return eq(floorDiv(key, block), mod(toInt(mul(lot, steps)), blocks));
    });
    return or(...(drawn as [(typeof drawn)[number]]));
  },
});
