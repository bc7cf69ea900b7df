// Ones and zeros for each token, as tokenizers give them.

import { DTypeError, notEqual, ShapeError, type Tensor } from '@heed/tensor';

/**
 * The input `allowed` from an `attention_mask` [batch, key] of ones for tokens and zeros for padding, as Hugging Face's
 * tokenizers give it and ONNX Runtime's contributed operators take it (`key_padding_mask`, the other way round than
 * PyTorch's of that name). Padding at either end will do. For right-padded sequences `padding` needs lengths alone.
 *
 * @returns [batch, 1, 1, key], for the mask `allowed`.
 * @throws ShapeError, DTypeError for what is no such mask.
 */
export function fromAttentionMask(mask: Tensor): Tensor<'bool'> {
  if (mask.dtype !== 'int32' && mask.dtype !== 'bool') {
    throw new DTypeError(
      `fromAttentionMask: expected ints, 1 for a token and 0 for padding, got ${mask}. A float mask is added to the scores: use ` +
        'the modifier bias and the mask biasAllows.',
    );
  }
  if (mask.rank !== 2)
    throw new ShapeError(`fromAttentionMask: expected [batch, key], got [${mask.shape.join(', ')}].`);
  const allowed = mask.dtype === 'bool' ? (mask as Tensor<'bool'>) : notEqual(mask, 0);
  return (allowed as Tensor<'bool'>).unsqueeze(1).unsqueeze(1);
}
