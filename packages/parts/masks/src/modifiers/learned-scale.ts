// A trained factor for all scores.

import { defineModifier, option } from '@heed/attention';
import { mul, scalar } from '@heed/expr';

/**
 * g * score. `attention_g` of TensorFlow Addons' `LuongAttention(scale=True)`, and the `scale` of Keras'
 * `Attention(use_scale=True)`; one for each head it is the trained temperature of Swin Transformer V2 (arXiv
 * 2111.09883).
 *
 * Parameter: `scale`, one number; with `per: 'head'` instead `headScale` [head]. They start at 1.
 *
 * @example learnedScale({ per: 'head' })
 */
export const learnedScale = defineModifier({
  name: 'learned-scale',
  options: {
    /** One factor for the whole attention, or one for each head. */
    per: option.oneOf('attention', 'head'),
  },
  params: { scale: { type: scalar, initial: 1 }, headScale: { type: scalar, along: ['head'], initial: 1 } },
  modify: ({ score, params }, { per }) => mul(per === 'head' ? params.headScale : params.scale, score),
});
