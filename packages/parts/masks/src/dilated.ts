// Every n-th key.

import { defineMask, option } from '@heed/attention';
import { eq, mod, sub } from '@heed/expr';
import { alignment, position } from './alignment.ts';

/**
 * (query - key) mod stride = 0: keys at multiples of the stride, in both directions. With a window it is Longformer's
 * dilated window: Beltagy, Peters, Cohan 2020 (arXiv 2004.05150), section 3.1.
 *
 * Alignment is as for `causal`.
 *
 * @throws ShapeError at a call whose lengths differ where neither `align` nor `offset` was given.
 * @example allOf(dilated({ stride: 2 }), window({ left: 8, right: 8 }))
 */
export const dilated = defineMask({
  name: 'dilated',
  ...alignment,
  options: {
    ...alignment.options,
    /** The distance between the keys that take part. */
    stride: option.integer({ min: 1 }),
  },
  allowed: (at, options) => eq(mod(sub(position(at, options), at.key), options.stride), 0),
});
