// Hard attention that draws its key, and how probable the draw was.

import { type AttendCall, type AttentionOptions, attention } from '@heed/attention';
import { equal, log, mul, scope, sum, type Tensor, where } from '@heed/tensor';
import { gumbel } from './gumbel.ts';
import { hard } from './hard.ts';
import { softmax } from './softmax.ts';
import type { Chosen } from './straight-through.ts';

/** A draw. */
export interface Sampled extends Chosen {
  /** [batch, head, query]: the logarithm of the probability that softmax gave the key drawn; 0 where no key is allowed. */
  readonly logProbability: Tensor;
  /** [batch, head, query, key], what softmax gave every key; with a gradient. */
  readonly probabilities: Tensor;
}

/**
 * Stochastic hard attention: the key is drawn with the probabilities of softmax (by the largest of scores with Gumbel noise).
 * Xu et al. 2015 (Show, attend and tell, arXiv 1502.03044), section 4.1.
 *
 * The draw has no gradient, the value that was drawn has its own, and so has the logarithm of the probability: `reinforce` makes
 * of it what scores learn from. In half of the steps the paper takes soft weights in place of the draw: those of `softmax`.
 *
 * @example
 * const attend = sampled({ score: scaledDot() });
 * const drawn = attend(query, key, value, { seed: step });
 * const loss = reinforce(drawn, reward, { baseline }); // beside that of what was done with drawn.context
 */
export function sampled(
  of: Omit<AttentionOptions, 'normalizer' | 'dropout'>,
): (
  query: Tensor,
  key: Tensor,
  value: Tensor,
  call: Omit<AttendCall, 'seed'> & { readonly seed: number },
) => Sampled {
  const draw = attention({ ...of, modifiers: [...(of.modifiers ?? []), gumbel()], normalizer: hard() });
  const weigh = attention({ ...of, normalizer: softmax() });
  return (query, key, value, { seed, ...call }) =>
    scope(query.device, () => {
      const uniforms = { ...call.uniforms, gumbelSeed: seed };
      const { context, weights } = draw(query, key, value, { ...call, uniforms, weights: true });
      const probabilities = weigh(query, key, value.slice(-1, 0, 0), { ...call, weights: true }).weights;
      const probability = sum(mul(weights.detach(), probabilities), { axis: -1 });
      const logProbability = log(where(equal(probability, 0), 1, probability));
      return { context, weights, logProbability, probabilities };
    });
}
