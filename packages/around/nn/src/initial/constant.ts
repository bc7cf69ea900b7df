// One number everywhere.

import { full } from '@heed/tensor';
import type { Initializer } from './initializer.ts';

/** `value` everywhere: 0 for biases, 1 for the weights of norms. Needs no seed. */
export const constant = (value: number): Initializer => ({
  kind: 'initializer',
  label: `constant(${value})`,
  draw: (device, shape, { dtype }) => full(device, shape, value, { dtype }),
});
