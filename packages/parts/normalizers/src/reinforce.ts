// Training what was drawn: a loss whose gradient is that of the expected reward, on average over draws.

import {
  add,
  equal,
  log,
  mean,
  mul,
  neg,
  ShapeError,
  scope,
  sub,
  sum,
  type Tensor,
  ValueError,
  where,
} from '@heed/tensor';
import type { Sampled } from './sampled.ts';

export interface ReinforceOptions {
  /**
   * What is subtracted from rewards, which changes the gradient's variance and not its mean, as long as it does not depend on
   * these draws: a number, or a tensor that broadcasts to the rewards. 0 if left out; see `movingBaseline`.
   */
  readonly baseline?: Tensor | number;
  /** How much the entropy of the probabilities is worth: it keeps them from settling early. 0 if left out; 0.002 in the paper. */
  readonly entropy?: number;
}

/**
 * What to add to the loss, so that scores learn which keys to draw: -(reward - baseline) log p(key drawn) - entropy H, summed
 * over the draws that a reward was given for. The score-function estimator (Williams 1992), as hard attention is trained in Xu
 * et al. 2015 (Show, attend and tell, arXiv 1502.03044), equation 12: the mean of its gradient over draws is the gradient of
 * -expected reward (- entropy H). Rewards are taken as numbers: what reaches the values goes through your own loss.
 *
 * @param drawn what `sampled` gave.
 * @param reward the more the better, often the logarithm of a likelihood. Its shape is the first axes of
 * `logProbability`: [batch] gives each batch entry one reward for all of its draws.
 * @returns a term for each reward, in its shape: reduce it as you reduce the loss.
 * @throws ShapeError for a reward of another shape; ValueError for an entropy that is no number of at least 0.
 *
 * @example
 * const drawn = sampled({ score: scaledDot() })(query, key, value, { seed: step });
 * const likelihood = score(drawn.context); // [batch]
 * const loss = mean(sub(reinforce(drawn, likelihood, { baseline }), likelihood));
 */
export function reinforce(
  { logProbability, probabilities }: Pick<Sampled, 'logProbability' | 'probabilities'>,
  reward: Tensor,
  { baseline = 0, entropy = 0 }: ReinforceOptions = {},
): Tensor {
  const { shape, rank } = logProbability;
  if (reward.rank > rank || reward.shape.some((size, axis) => size !== shape[axis])) {
    throw new ShapeError(
      `reinforce: expected a reward of the first axes of logProbability, [${shape.join(', ')}], got [${reward.shape.join(', ')}]. ` +
        'Give one to each draw, or one to all draws of a batch entry.',
    );
  }
  if (!(entropy >= 0 && entropy < Infinity))
    throw new ValueError(
      `reinforce: the option "entropy" expects a finite number of at least 0, got ${entropy}.`,
    );
  return scope(reward.device, () => {
    const advantage = sub(reward, baseline as Tensor).detach();
    if (advantage.rank !== reward.rank || advantage.size !== reward.size) {
      throw new ShapeError(
        `reinforce: expected a baseline that broadcasts to the reward, [${reward.shape.join(', ')}], and it makes ` +
          `[${advantage.shape.join(', ')}] of it.`,
      );
    }
    const axis = Array.from({ length: rank - reward.rank }, (_, at) => reward.rank + at);
    const all = (of: Tensor): Tensor => (axis.length > 0 ? sum(of, { axis }) : of);
    const term = neg(mul(advantage, all(logProbability)));
    return entropy === 0 ? term : sub(term, mul(entropy, all(entropyOf(probabilities))));
  });
}

/** -sum p log p of each row, 0 where no key is allowed. */
const entropyOf = (p: Tensor): Tensor => neg(sum(mul(p, log(where(equal(p, 0), 1, p))), { axis: -1 }));

/**
 * The baseline of the next step, decay * before + (1 - decay) * mean(reward): the moving average of Xu et al. 2015, whose decay
 * is 0.9. Use it after `reinforce`: a baseline that has seen the rewards it is subtracted from is no baseline.
 *
 * @param before that of this step; a number to begin with.
 * @returns one number on the device, without a gradient.
 * @throws ValueError for a decay that is not between 0 and 1.
 */
export function movingBaseline(
  before: Tensor | number,
  reward: Tensor,
  { decay = 0.9 }: { readonly decay?: number } = {},
): Tensor {
  if (!(decay >= 0 && decay <= 1))
    throw new ValueError(
      `movingBaseline: the option "decay" expects a finite number of at least 0 and at most 1, got ${decay}.`,
    );
  return scope(reward.device, () => {
    const kept = typeof before === 'number' ? before * decay : mul(before.detach(), decay);
    return add(mul(mean(reward.detach()), 1 - decay), kept as Tensor);
  });
}
