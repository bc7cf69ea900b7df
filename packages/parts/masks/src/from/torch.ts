// Boolean tensors of PyTorch's MultiheadAttention, in which true leaves out.

import { DTypeError, logicalNot, ShapeError, type Tensor } from '@heed/tensor';
import { positive } from './number.ts';

/**
 * The input `allowed` from the `key_padding_mask` [batch, key] of PyTorch's `MultiheadAttention` and `Transformer`, in which
 * true leaves a key out; in heed, as in PyTorch's own `scaled_dot_product_attention`, true takes part.
 *
 * @returns [batch, 1, 1, key], for the mask `allowed`.
 * @throws ShapeError, DTypeError for what is no such mask.
 * @example attend(query, key, value, { inputs: { allowed: fromKeyPaddingMask(mask) } })
 */
export function fromKeyPaddingMask(mask: Tensor): Tensor<'bool'> {
  expectBool('fromKeyPaddingMask', mask);
  if (mask.rank !== 2)
    throw new ShapeError(`fromKeyPaddingMask: expected [batch, key], got [${mask.shape.join(', ')}].`);
  return logicalNot(mask as Tensor<'bool'>)
    .unsqueeze(1)
    .unsqueeze(1);
}

/**
 * The input `allowed` from the boolean `attn_mask` of PyTorch's `MultiheadAttention`, [query, key] or [batch * heads, query,
 * key], in which true leaves a pair out; in heed true takes part, and batch and heads have an axis each.
 *
 * @returns [1, 1, query, key] or [batch, head, query, key], for the mask `allowed`.
 * @throws ShapeError, DTypeError for what is no such mask.
 */
export function fromAttnMask(mask: Tensor, { heads = 1 }: { readonly heads?: number } = {}): Tensor<'bool'> {
  expectBool('fromAttnMask', mask);
  positive('fromAttnMask', 'heads', heads, 1);
  const [batched = 0, queries, keys] = mask.rank === 3 ? mask.shape : [heads, ...mask.shape];
  if (mask.rank < 2 || mask.rank > 3 || batched % heads !== 0) {
    throw new ShapeError(
      `fromAttnMask: expected [query, key] or [batch * ${heads} heads, query, key], got [${mask.shape.join(', ')}]. ` +
        'Say how many heads there are: { heads }.',
    );
  }
  const allowed = logicalNot(mask as Tensor<'bool'>);
  return mask.rank === 2
    ? allowed.reshape([1, 1, queries as number, keys as number])
    : allowed.reshape([batched / heads, heads, queries as number, keys as number]);
}

function expectBool(where: string, mask: Tensor): void {
  if (mask.dtype === 'bool') return;
  throw new DTypeError(
    `${where}: expected booleans, got ${mask}. A float mask is added to the scores: use the modifier bias and the mask ` +
      'biasAllows. Of ones and zeros, say which leaves out: notEqual(mask, 0).',
  );
}
