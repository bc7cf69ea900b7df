// The near past, and every n-th key before it.

import { defineMask, option } from '@heed/attention';
import { and, eq, le, lt, mod, or, sub } from '@heed/expr';
import { alignment, position } from './alignment.ts';

/**
 * key <= query, and query - key < stride or (query - key) mod stride = 0: the last `stride` keys and every stride-th
 * one before. The "strided" pattern of Child et al. 2019 (arXiv 1904.10509), section 4.3. The paper takes it apart into two
 * steps, one for each of two heads or layers; `factor` chooses one of them, and `'both'` is the two as one.
 *
 * Alignment is as for `causal`.
 *
 * @throws ShapeError at a call whose lengths differ where neither `align` nor `offset` was given.
 * @example strided({ stride: 128 })
 */
export const strided = defineMask({
  name: 'strided',
  ...alignment,
  options: {
    ...alignment.options,
    /** How many of the last keys take part, and the distance between those before. */
    stride: option.integer({ min: 1 }),
    /** Both steps, the last `stride` keys, or every `stride`-th key. */
    factor: option.oneOf('both', 'local', 'stride'),
  },
  allowed: (at, options) => {
    const here = position(at, options);
    const back = sub(here, at.key);
    const near = () => lt(back, options.stride);
    const apart = () => eq(mod(back, options.stride), 0);
    const either = { local: near, stride: apart, both: () => or(near(), apart()) }[options.factor]();
    return and(le(at.key, here), either);
  },
});
