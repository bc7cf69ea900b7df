import { describe, expect, it } from 'vitest';
import { tensor } from '../data.ts';
import { checkGradient, freshDevice, leavesNothing, some } from '../device.fixture.ts';
import type { Tensor } from '../tensor.ts';
import { mul } from './arithmetic.ts';
import { concat, split, stack } from './join.ts';
import { pad } from './pad.ts';

describe('concat', () => {
  it('joins along an axis, views too', async () => {
    const device = await freshDevice();
    const [a, b] = [
      tensor(device, [
        [1, 2],
        [3, 4],
      ]),
      tensor(device, [[5], [6]]),
    ];
    expect(await concat([a, b], { axis: 1 }).toNested()).toEqual([
      [1, 2, 5],
      [3, 4, 6],
    ]);
    expect(await concat([a.transpose(), a]).toNested()).toEqual([
      [1, 3],
      [2, 4],
      [1, 2],
      [3, 4],
    ]);
    expect(await concat([a.slice(0, 0, 0), b.transpose()]).toNested()).toEqual([[5, 6]]);
  });

  it('promotes dtypes', async () => {
    const device = await freshDevice();
    const parts: readonly Tensor[] = [tensor(device, [true]), tensor(device, Int32Array.of(2))];
    expect(concat(parts).dtype).toBe('int32');
    expect(await concat(parts).toNested()).toEqual([1, 2]);
  });

  it('has its gradient, and leaves nothing behind', async () => {
    const device = await freshDevice();
    await checkGradient(device, (...all) => concat(all, { axis: -1 }), [
      some(device, [2, 1], 1),
      some(device, [2, 3], 2),
      some(device, [2, 0], 3),
    ]);
    await leavesNothing(device, () => {
      concat([some(device, [2]), some(device, [3])]).dispose();
    });
  });
});

describe('stack', () => {
  it('joins along a new axis, with gradients', async () => {
    const device = await freshDevice();
    const [a, b] = [tensor(device, [1, 2]), tensor(device, [3, 4])];
    expect(await stack([a, b]).toNested()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(await stack([a, b], { axis: -1 }).toNested()).toEqual([
      [1, 3],
      [2, 4],
    ]);
    await checkGradient(device, (...all) => stack(all, { axis: 1 }), [
      some(device, [2, 2], 1),
      some(device, [2, 2], 2),
    ]);
  });
});

describe('split', () => {
  it('cuts into views of one size or of several', async () => {
    const device = await freshDevice();
    const x = tensor(device, [1, 2, 3, 4]);
    const { buffers } = device.live;
    expect(await Promise.all(split(x, 2).map((one) => one.toNested()))).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(await Promise.all(split(x, [1, 0, 3]).map((one) => one.toNested()))).toEqual([[1], [], [2, 3, 4]]);
    expect(device.live.buffers).toBe(buffers);
    await checkGradient(
      device,
      (y) => {
        const [a, b] = split(y!, [1, 2], { axis: 1 });
        return mul(a!, b!);
      },
      [some(device, [2, 3])],
    );
  });
});

describe('pad', () => {
  it('puts a value around, with gradients', async () => {
    const device = await freshDevice();
    const x = tensor(device, [[1, 2]]);
    expect(
      await pad(x, [
        [0, 1],
        [1, 0],
      ]).toNested(),
    ).toEqual([
      [0, 1, 2],
      [0, 0, 0],
    ]);
    expect(
      await pad(
        x,
        [
          [1, 0],
          [0, 0],
        ],
        -Infinity,
      ).toNested(),
    ).toEqual([
      [-Infinity, -Infinity],
      [1, 2],
    ]);
    await checkGradient(
      device,
      (y) =>
        pad(
          y!,
          [
            [1, 2],
            [0, 3],
          ],
          5,
        ),
      [some(device, [2, 2])],
    );
  });
});
