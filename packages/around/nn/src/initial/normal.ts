// Normally distributed numbers.

import { normal as draw } from '@heed/tensor';
import { type Initializer, labelOf } from './initializer.ts';

/** Normally distributed numbers; mean 0 and deviation 0.05 if left out, as in Keras. */
export const normal = (
  options: { readonly mean?: number; readonly deviation?: number } = {},
): Initializer => {
  const { mean = 0, deviation = 0.05 } = options;
  return {
    kind: 'initializer',
    label: labelOf('normal', options),
    draw: (device, shape, { dtype, seed }) => draw(device, shape, { mean, deviation, dtype, seed: seed() }),
  };
};
