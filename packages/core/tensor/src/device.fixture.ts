// What the tests of this package share: devices that must end as empty as they began, and central differences.

import { reference } from '@heed/reference';
import { afterEach, expect } from 'vitest';
import { tensor } from './data.ts';
import { type Device, openDevice } from './device.ts';
import { mul } from './ops/arithmetic.ts';
import { sum } from './ops/reductions.ts';
import { normal } from './random.ts';
import { openScope } from './scope.ts';
import { parameter } from './tape/parameter.ts';
import type { Tensor } from './tensor.ts';

const opened: Device[] = [];

/** A reference device that is closed after the test. */
export async function freshDevice(): Promise<Device> {
  const device = await openDevice(reference());
  opened.push(device);
  return device;
}

afterEach(async () => {
  for (const device of opened.splice(0)) await device.close();
});

/** Runs `body` inside a scope and expects nothing of it to be alive afterwards. */
export async function leavesNothing(device: Device, body: () => Promise<void> | void): Promise<void> {
  const before = device.live;
  const work = openScope(device);
  try {
    await body();
  } finally {
    work.close();
  }
  expect(device.live).toEqual(before);
}

/** Numbers of float64 in no particular place. */
export const some = (device: Device, shape: readonly number[], seed = 1): Tensor<'float64'> =>
  normal(device, shape, { seed, dtype: 'float64' });

const STEP = 1e-5;

/**
 * Compares the gradients of `f` with central differences, in float64, for every element of every input. The result is
 * weighted with arbitrary numbers, so that no error cancels. The tolerance is that of the differences: about
 * STEP² f''' / 6 + 1e-16 f / STEP.
 */
export async function checkGradient(
  device: Device,
  f: (...inputs: readonly Tensor[]) => Tensor,
  inputs: readonly Tensor<'float64'>[],
): Promise<void> {
  await leavesNothing(device, async () => {
    const values = await Promise.all(inputs.map((input) => input.read()));
    const leaves = inputs.map((input) => parameter(input.detach()));
    const out = f(...leaves);
    const weights = some(device, out.shape, 99);
    const weighted = (result: Tensor) => sum(mul(result, weights));
    weighted(out).backward();
    for (const [i, input] of inputs.entries()) {
      const leaf = leaves[i] as Tensor;
      const exact = leaf.gradient
        ? [...(await leaf.gradient.read())]
        : Array.from({ length: input.size }, () => 0);
      const at = async (element: number, change: number): Promise<number> => {
        const moved = (values[i] as Float64Array).slice();
        moved[element] = (moved[element] as number) + change;
        const changed = inputs.map((one, j) => (j === i ? tensor(device, moved, { shape: one.shape }) : one));
        return (await weighted(f(...changed)).item()) as number;
      };
      const differences: number[] = [];
      for (let element = 0; element < input.size; element++) {
        differences.push(((await at(element, STEP)) - (await at(element, -STEP))) / (2 * STEP));
      }
      const size = Math.max(1, ...differences.map(Math.abs));
      for (const [element, difference] of differences.entries()) {
        expect(
          Math.abs((exact[element] as number) - difference),
          `input ${i}, element ${element}: ${exact[element]} and ${difference}`,
        ).toBeLessThan(1e-7 * size);
      }
    }
  });
}
