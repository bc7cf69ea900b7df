// Blocks, and the last keys of each block before as their summary.

import { defineMask, option } from '@heed/attention';
import { and, eq, floorDiv, ge, le, mod, or } from '@heed/expr';
import { alignment, position } from './alignment.ts';

/**
 * key <= query, and floor(key / stride) = floor(query / stride) or key mod stride >= stride - summary: a query sees its own
 * block so far, and of every block before the last `summary` keys, which have seen their block. The "fixed" pattern of
 * Child et al. 2019 (arXiv 1904.10509), section 4.3, whose l is `stride` and c is `summary` (8, 16 or 32 of 128 in the
 * paper). The paper takes it apart into two steps, one for each of two heads or layers; `factor` chooses one of them, and
 * `'both'` is the two as one.
 *
 * Alignment is as for `causal`.
 *
 * @throws ShapeError at a call whose lengths differ where neither `align` nor `offset` was given.
 * @example fixedSparse({ stride: 128, summary: 8 })
 */
export const fixedSparse = defineMask({
  name: 'fixed-sparse',
  ...alignment,
  options: {
    ...alignment.options,
    /** The number of keys in a block. */
    stride: option.integer({ min: 1 }),
    /** How many keys at the end of a block everyone after it sees. */
    summary: option.integer({ min: 1 }),
    /** Both steps, the own block, or the summaries. */
    factor: option.oneOf('both', 'local', 'summary'),
  },
  validate: ({ stride, summary }) =>
    summary > stride
      ? `summary: ${summary} is more than the ${stride} keys of a block. Give at most stride.`
      : undefined,
  allowed: (at, options) => {
    const { stride, summary, factor } = options;
    const here = position(at, options);
    const own = () => eq(floorDiv(at.key, stride), floorDiv(here, stride));
    const told = () => ge(mod(at.key, stride), stride - summary);
    return and(le(at.key, here), { local: own, summary: told, both: () => or(own(), told()) }[factor]());
  },
});
