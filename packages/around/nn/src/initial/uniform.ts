// Numbers spread evenly.

import { uniform as draw } from '@heed/tensor';
import { type Initializer, labelOf } from './initializer.ts';

/** Numbers spread evenly over [low, high), -0.05 and 0.05 if left out, as in Keras. */
export const uniform = (options: { readonly low?: number; readonly high?: number } = {}): Initializer => {
  const { low = -0.05, high = 0.05 } = options;
  return {
    kind: 'initializer',
    label: labelOf('uniform', options),
    draw: (device, shape, { dtype, seed }) => draw(device, shape, { low, high, dtype, seed: seed() }),
  };
};
