// Pairs listed one by one.

import { defineMask } from '@heed/attention';
import { bool } from '@heed/expr';

/**
 * Allows the pairs for which a boolean tensor is true. True takes part: PyTorch's `attn_mask` of
 * `scaled_dot_product_attention` has this polarity, the masks of its `MultiheadAttention` have the other.
 *
 * Side input: `allowed` [batch, head, query, key], booleans; leading axes may be left out, any axis may be 1. Numbers
 * to add to the score are not a mask: see the modifier `bias`.
 *
 * @example attend(query, key, value, { inputs: { allowed: tensor(device, [[true, false], [true, true]]) } })
 */
export const allowed = defineMask({
  name: 'allowed',
  inputs: { allowed: { type: bool, along: ['batch', 'head', 'query', 'key'] } },
  allowed: ({ inputs }) => inputs.allowed,
});
