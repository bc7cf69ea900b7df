import { describe, expect, it } from 'vitest';
import { oneHot } from '../create.ts';
import { tensor } from '../data.ts';
import { checkGradient, freshDevice, leavesNothing, some } from '../device.fixture.ts';
import type { Device } from '../device.ts';
import { ValueError } from '../errors.ts';
import { gather, scatterAdd, take } from './lookup.ts';

const ints = (device: Device, data: readonly (readonly number[])[] | readonly number[]) =>
  tensor(device, data, { dtype: 'int32' });

describe('take', () => {
  it('replaces an axis by those of the indices, as np.take', async () => {
    const device = await freshDevice();
    const table = tensor(device, [
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    expect(await take(table, ints(device, [2, 0])).toNested()).toEqual([
      [5, 6],
      [1, 2],
    ]);
    expect(
      await take(
        table,
        ints(device, [
          [0, 1],
          [1, 1],
        ]),
      ).toNested(),
    ).toEqual([
      [
        [1, 2],
        [3, 4],
      ],
      [
        [3, 4],
        [3, 4],
      ],
    ]);
    expect(await take(table, ints(device, [1, 1, 0]), { axis: -1 }).toNested()).toEqual([
      [2, 2, 1],
      [4, 4, 3],
      [6, 6, 5],
    ]);
    expect(
      await take(
        table,
        ints(device, [
          [0, 2],
          [1, 0],
        ]).transpose(),
      ).toNested(),
    ).toEqual([
      [
        [1, 2],
        [3, 4],
      ],
      [
        [5, 6],
        [1, 2],
      ],
    ]);
    expect(take(table, tensor(device, 1, { dtype: 'int32' })).shape).toEqual([2]);
  });

  it('adds up the gradients of rows that were taken often', async () => {
    const device = await freshDevice();
    const indices = ints(device, [
      [0, 2],
      [2, 2],
    ]);
    await checkGradient(device, (table) => take(table!, indices), [some(device, [4, 3])]);
    await checkGradient(device, (table) => take(table!, indices, { axis: 1 }), [some(device, [2, 3, 2])]);
  });

  it('leaves nothing behind', async () => {
    const device = await freshDevice();
    const indices = ints(device, [0, 1]);
    const table = some(device, [2, 2]);
    await leavesNothing(device, () => {
      const before = device.live.buffers;
      const rows = take(table, indices);
      expect(device.live.buffers).toBe(before + 1);
      rows.dispose();
    });
  });
});

describe('gather', () => {
  it('takes one element for each index, as torch.gather', async () => {
    const device = await freshDevice();
    const x = tensor(device, [
      [1, 2],
      [3, 4],
    ]);
    expect(
      await gather(
        x,
        ints(device, [
          [0, 0, 1],
          [1, 0, 1],
        ]),
        { axis: 1 },
      ).toNested(),
    ).toEqual([
      [1, 1, 2],
      [4, 3, 4],
    ]);
    expect(await gather(x, ints(device, [[1, 0]]), { axis: 0 }).toNested()).toEqual([[3, 2]]);
  });

  it('has its gradient', async () => {
    const device = await freshDevice();
    const indices = ints(device, [
      [0, 0, 2],
      [1, 2, 2],
    ]);
    await checkGradient(device, (x) => gather(x!, indices, { axis: 1 }), [some(device, [2, 4])]);
  });
});

describe('scatterAdd', () => {
  it('adds sources at their indices, as torch.scatter_add', async () => {
    const device = await freshDevice();
    const onto = tensor(device, [
      [10, 20],
      [30, 40],
    ]);
    const out = scatterAdd(
      onto,
      ints(device, [
        [0, 0],
        [1, 0],
      ]),
      tensor(device, [
        [1, 2],
        [3, 4],
      ]),
      { axis: 1 },
    );
    expect(await out.toNested()).toEqual([
      [13, 20],
      [34, 43],
    ]);
    expect(await onto.toNested()).toEqual([
      [10, 20],
      [30, 40],
    ]);
  });

  it('has its gradients', async () => {
    const device = await freshDevice();
    const indices = ints(device, [
      [0, 0],
      [3, 1],
      [0, 2],
    ]).transpose();
    await checkGradient(device, (x, y) => scatterAdd(x!, indices, y!, { axis: 1 }), [
      some(device, [2, 4], 1),
      some(device, [2, 3], 2),
    ]);
  });
});

describe('an index outside', () => {
  it('is told at the next read', async () => {
    const device = await freshDevice();
    const table = tensor(device, [
      [1, 2],
      [3, 4],
    ]);
    await expect(take(table, ints(device, [0, 2])).read()).rejects.toThrow(ValueError);
    await expect(oneHot(ints(device, [3]), 3).read()).rejects.toThrow(ValueError);
    await expect(
      scatterAdd(
        table,
        ints(device, [
          [-1, 0],
          [0, 0],
        ]),
        table,
        { axis: 0 },
      ).read(),
    ).rejects.toThrow(ValueError);
    expect(await table.toNested()).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });
});
