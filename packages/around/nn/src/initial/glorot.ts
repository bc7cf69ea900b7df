// Glorot's (Xavier's) initialisers: neither signals nor gradients grow or shrink on their way.

import { normal, uniform } from '@heed/tensor';
import { fans, type Initializer, labelOf } from './initializer.ts';

interface GlorotOptions {
  /** Multiplies the numbers: 1 if left out, for linear and tanh units. */
  readonly gain?: number;
}

/**
 * Spread evenly over [-a, a) with a = gain sqrt(6 / (fanIn + fanOut)). Glorot, Bengio 2010, "Understanding the difficulty of
 * training deep feedforward neural networks", equation 16. PyTorch's `xavier_uniform_`.
 */
export const glorotUniform = (options: GlorotOptions = {}): Initializer => {
  const { gain = 1 } = options;
  return {
    kind: 'initializer',
    label: labelOf('glorot-uniform', { ...options }),
    draw: (device, shape, { dtype, seed }) => {
      const { fanIn, fanOut } = fans('glorotUniform', shape);
      const high = gain * Math.sqrt(6 / (fanIn + fanOut));
      return uniform(device, shape, { low: -high, high, dtype, seed: seed() });
    },
  };
};

/** Normal with deviation gain sqrt(2 / (fanIn + fanOut)): the same variance, equation 12. PyTorch's `xavier_normal_`. */
export const glorotNormal = (options: GlorotOptions = {}): Initializer => {
  const { gain = 1 } = options;
  return {
    kind: 'initializer',
    label: labelOf('glorot-normal', { ...options }),
    draw: (device, shape, { dtype, seed }) => {
      const { fanIn, fanOut } = fans('glorotNormal', shape);
      return normal(device, shape, {
        deviation: gain * Math.sqrt(2 / (fanIn + fanOut)),
        dtype,
        seed: seed(),
      });
    },
  };
};
