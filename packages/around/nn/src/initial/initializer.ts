// What an initialiser is.

import type { Device, FloatDType, Shape, Tensor } from '@heed/tensor';
import { ValueError } from '@heed/tensor';

/** How a parameter starts. The numbers are a function of seed and shape, equal on every backend but for rounding. */
export interface Initializer {
  readonly kind: 'initializer';
  /** For people to read: `glorot-uniform(gain: 2)`. */
  readonly label: string;
  readonly draw: (device: Device, shape: Shape, options: DrawOptions) => Tensor;
}

export interface DrawOptions {
  readonly dtype: FloatDType;
  /** The parameter's seed; asking for it is an error where the layer has none. */
  readonly seed: () => number;
}

export const isInitializer = (value: unknown): value is Initializer =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'initializer';

/** How many numbers go into one of the result and come out of one that is given: the weight is [out, in, ...kernel]. */
export function fans(where: string, shape: Shape): { readonly fanIn: number; readonly fanOut: number } {
  const [out, into, ...kernel] = shape;
  if (out === undefined || into === undefined) {
    throw new ValueError(
      `${where}: expected a weight of at least two axes, [out, in, ...], got [${shape.join(', ')}]. Use uniform, normal or constant.`,
    );
  }
  const field = kernel.reduce((all, size) => all * size, 1);
  return { fanIn: into * field, fanOut: out * field };
}

/** Name and options that were given, as parts write them. */
export const labelOf = (name: string, options: Readonly<Record<string, unknown>>): string => {
  const told = Object.entries(options).filter(([, value]) => value !== undefined);
  return told.length === 0 ? name : `${name}(${told.map(([key, value]) => `${key}: ${value}`).join(', ')})`;
};
