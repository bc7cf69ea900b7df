// Pairs that a bias of minus infinity rules out.

import { defineMask } from '@heed/attention';
import { ne, scalar } from '@heed/expr';

/**
 * bias is not -infinity. PyTorch, Keras and ONNX also write masks as a float tensor that is added to the score and holds
 * -infinity where a pair takes no part. The modifier `bias` adds it; this mask reads the same tensor and takes those
 * pairs out, so that a row of nothing but -infinity gives zeros and not NaN.
 *
 * Side input: `bias` [batch, head, query, key], floats, shared with the modifier. Large finite numbers rule
 * nothing out, and a NaN stays in, so that it shows.
 *
 * @example attention({ score: scaledDot(), modifiers: [bias()], mask: biasAllows(), normalizer: softmax() })
 */
export const biasAllows = defineMask({
  name: 'bias-allows',
  inputs: { bias: { type: scalar, along: ['batch', 'head', 'query', 'key'] } },
  allowed: ({ inputs: { bias } }) => ne(bias, -Infinity),
});
