// Leaving elements out while training.

import * as e from '@heed/expr';
import { elementwise, type Surroundings, type Tensor } from '@heed/tensor';
import { defineLayer } from '../define/define-layer.ts';
import { isTraining, type Mode } from '../define/mode.ts';
import { rateOption } from '../define/options.ts';

type Knobs = Surroundings<'rate', 'dropoutSeed'>;

/** The draw depends on the seed and the element's position alone, so it is drawn again and not kept for the gradient. */
const dropped = (x: e.Expr<e.Scalar>, { axis, uniforms: { rate }, integers: { dropoutSeed } }: Knobs) =>
  e.select(e.ge(e.random(dropoutSeed, 0, axis(0), 0), rate), e.div(x, e.sub(1, rate)), 0);

/**
 * Each element is 0 with probability `rate` and divided by 1 - rate otherwise, while training; itself in evaluation.
 * Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting", scaled while training. The
 * same seed drops the same elements on every backend.
 *
 * @throws ValueError for a call that does not say whether it trains, or trains without a seed, where the rate is above 0.
 * @example dropout(device, { rate: 0.1 })(x, { train: true, seed: step })
 */
export const dropout = defineLayer({
  name: 'dropout',
  options: {
    /** The probability with which an element is dropped. */
    rate: rateOption,
  },
  make:
    ({ rate }) =>
    (x: Tensor, mode: Mode = {}): Tensor => {
      if (rate === 0 || !isTraining('dropout', mode)) return x;
      const flat = x.reshape([-1]);
      const knobs = { uniforms: { rate }, integers: { dropoutSeed: mode.seed as number } };
      return elementwise('dropout', dropped, [flat], knobs).reshape(x.shape);
    },
});
