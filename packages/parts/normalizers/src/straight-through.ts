// Hard attention that is trained as if it were soft.

import { type AttendCall, type AttentionOptions, attention, type Normalizer } from '@heed/attention';
import { add, scope, sub, type Tensor } from '@heed/tensor';
import { hard } from './hard.ts';
import { softmax } from './softmax.ts';

/** What a choice gives. */
export interface Chosen {
  /** [batch, head, query, valueFeature], the value of the key that was chosen. */
  readonly context: Tensor;
  /** [batch, head, query, key], one for the key that was chosen. */
  readonly weights: Tensor;
}

/**
 * Hard attention with the gradient of a soft one: forward the value of the largest score, backward as though the weights had
 * been those of `through`. The straight-through estimator: Bengio, Léonard, Courville 2013 (arXiv 1308.3432); with the
 * modifier `gumbel` it is the straight-through Gumbel-softmax of Jang, Gu, Poole 2017 (arXiv 1611.01144). Its gradient is
 * biased, and has far less variance than that of `sampled`.
 *
 * Values have the gradient of what they did: all of it goes to the one that was chosen.
 *
 * @example
 * const attend = straightThrough({ score: scaledDot(), modifiers: [gumbel()] });
 * const { context } = attend(query, key, value, { uniforms: { gumbelSeed: step } });
 */
export function straightThrough(
  of: Omit<AttentionOptions, 'normalizer' | 'dropout'>,
  { through = softmax() }: { readonly through?: Normalizer } = {},
): (query: Tensor, key: Tensor, value: Tensor, call?: AttendCall) => Chosen {
  const choose = attention({ ...of, normalizer: hard() });
  const weigh = attention({ ...of, normalizer: through });
  return (query, key, value, call = {}) =>
    scope(query.device, () => {
      const ask = { ...call, weights: true } as const;
      const chosen = choose(query, key, value, ask);
      const soft = weigh(query, key, value.detach(), ask);
      // Added to a result it changes nothing but the gradient.
      const gradientOf = (one: Tensor): Tensor => sub(one, one.detach());
      return {
        context: add(chosen.context, gradientOf(soft.context)),
        weights: add(chosen.weights, gradientOf(soft.weights)),
      };
    });
}
