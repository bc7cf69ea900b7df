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
}

/**
 * Stochastic hard attention: the key is drawn with the probabilities of softmax (by the largest of scores with Gumbel noise).
 * Xu et al. 2015 (Show, attend and tell, arXiv 1502.03044), section 4.1.
 *
 * The draw has no gradient. REINFORCE (Williams 1992) goes through its probability: for a reward r of what was done with the
 * context, and a baseline b that does not depend on the draw (the paper's is a moving average, b = 0.9 b + 0.1 r), add
 * -(r - b) logProbability to the loss. The paper also takes the entropy of the weights into the loss, at 0.002, and in half
 * of the steps takes soft weights in place of the draw.
 *
 * @example
 * const attend = sampled({ score: scaledDot() });
 * const { context, logProbability } = attend(query, key, value, { seed: step });
 * const loss = neg(mul(logProbability, reward - baseline));
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
      const soft = weigh(query, key, value.slice(-1, 0, 0), { ...call, weights: true }).weights;
      const probability = sum(mul(weights.detach(), soft), { axis: -1 });
      return { context, weights, logProbability: log(where(equal(probability, 0), 1, probability)) };
    });
}
