// For tests of layers: rows of float64 on the reference, and how they are compared.

import { reference } from '@heed/reference';
import { openDevice, type Tensor, uniform } from '@heed/tensor';
import { afterAll, expect } from 'vitest';

export const device = await openDevice(reference());
afterAll(() => device.close());

export const double = { dtype: 'float64' } as const;

/** Numbers between -1 and 1. */
export const rows = (seed: number, ...shape: number[]): Tensor =>
  uniform(device, shape, { low: -1, high: 1, seed, ...double });

/** Expects the same shape, and the same numbers up to so many digits after the point. */
export async function close(got: Tensor, wanted: Tensor, digits = 12): Promise<void> {
  expect(got.shape).toEqual(wanted.shape);
  const [a, b] = [await got.read(), await wanted.read()];
  for (let i = 0; i < a.length; i++) expect(a[i]).toBeCloseTo(b[i] as number, digits);
}
