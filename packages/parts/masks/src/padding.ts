// Keys that are really there.

import { defineMask } from '@heed/attention';
import { index, lt } from '@heed/expr';

/**
 * key < lengths[batch]: the keys beyond a sequence's length take no part.
 *
 * Side input: `lengths` [batch], ints; [1] for all batches.
 *
 * @example attend(query, key, value, { inputs: { lengths: tensor(device, [5, 3], { dtype: 'int32' }) } })
 */
export const padding = defineMask({
  name: 'padding',
  inputs: { lengths: { type: index, along: ['batch'] } },
  allowed: ({ key, inputs: { lengths } }) => lt(key, lengths),
});
