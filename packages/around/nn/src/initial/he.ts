// He's (Kaiming's) initialisers: for units that are zero half of the time.

import { normal, uniform } from '@heed/tensor';
import { fans, type Initializer, labelOf } from './initializer.ts';

interface HeOptions {
  /** The slope of the unit below zero: 0 for relu, which is meant if it is left out. */
  readonly slope?: number;
  /** Whether forward signals (`'in'`) or gradients (`'out'`) keep their size; `'in'` if left out. */
  readonly fan?: 'in' | 'out';
}

const deviationOf = (
  where: string,
  shape: readonly number[],
  { slope = 0, fan = 'in' }: HeOptions,
): number => {
  const { fanIn, fanOut } = fans(where, shape);
  return Math.sqrt(2 / ((1 + slope * slope) * (fan === 'in' ? fanIn : fanOut)));
};

/**
 * Spread evenly with variance 2 / ((1 + slope²) fan). He, Zhang, Ren, Sun 2015 (arXiv 1502.01852), section 2.2, equations
 * 10 and 15. PyTorch's `kaiming_uniform_`; with `slope: Math.sqrt(5)` it is the default of PyTorch's `nn.Linear`.
 */
export const heUniform = (options: HeOptions = {}): Initializer => ({
  kind: 'initializer',
  label: labelOf('he-uniform', { ...options }),
  draw: (device, shape, { dtype, seed }) => {
    const high = Math.sqrt(3) * deviationOf('heUniform', shape, options);
    return uniform(device, shape, { low: -high, high, dtype, seed: seed() });
  },
});

/** Normal, of the same variance. PyTorch's `kaiming_normal_`. */
export const heNormal = (options: HeOptions = {}): Initializer => ({
  kind: 'initializer',
  label: labelOf('he-normal', { ...options }),
  draw: (device, shape, { dtype, seed }) =>
    normal(device, shape, { deviation: deviationOf('heNormal', shape, options), dtype, seed: seed() }),
});
