// All weight on one key.

import { defineNormalizer } from '@heed/attention';
import { eq, select } from '@heed/expr';

/**
 * 1 for the first of the largest scores of a row, 0 for the others: ONNX's Hardmax. The choice has no gradient, so none
 * reaches the scores; the value that was chosen gets all of its own.
 *
 * It is the limit of softmax at temperature 0, and not the sampled attention of Xu et al. 2015 (arXiv 1502.03044).
 *
 * @example attention({ score: dot(), normalizer: hard() })
 */
export const hard = defineNormalizer({
  name: 'hard',
  weight: ({ key, level }) => select(eq(key, level), 1, 0),
  level: 'argmax',
});
