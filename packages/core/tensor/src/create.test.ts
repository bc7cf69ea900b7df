import { describe, expect, it } from 'vitest';
import { arange, full, oneHot, ones, zeros } from './create.ts';
import { tensor } from './data.ts';
import { freshDevice } from './device.fixture.ts';
import { normal, uniform } from './random.ts';

describe('tensor', () => {
  it('takes nested arrays, numbers, booleans and typed arrays', async () => {
    const device = await freshDevice();
    expect(
      await tensor(device, [
        [1, 2],
        [3, 4],
      ]).toNested(),
    ).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(tensor(device, [[1, 2, 3]]).shape).toEqual([1, 3]);
    expect(tensor(device, 5).shape).toEqual([]);
    expect(tensor(device, []).shape).toEqual([0]);
    expect(tensor(device, [[], []]).shape).toEqual([2, 0]);
    expect(await tensor(device, [[true], [false]]).toNested()).toEqual([[true], [false]]);
    expect(await tensor(device, Float64Array.of(1, 2, 3, 4), { shape: [2, 2] }).toNested()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(await tensor(device, [Float32Array.of(1, 2), Float32Array.of(3, 4)]).toNested()).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it('infers the dtype', async () => {
    const device = await freshDevice();
    const dtypes = [
      1,
      [true],
      Float64Array.of(1),
      Float32Array.of(1),
      Int32Array.of(1),
      Int8Array.of(1),
      Uint8Array.of(1),
    ].map((one) => tensor(device, one).dtype);
    expect(dtypes).toEqual(['float32', 'bool', 'float64', 'float32', 'int32', 'int8', 'bool']);
    const typed: Float64Array = await tensor(device, Float64Array.of(1)).read();
    expect(typed).toEqual(Float64Array.of(1));
  });

  it('takes part of a larger buffer', async () => {
    const device = await freshDevice();
    const part = Float32Array.of(1, 2, 3, 4).subarray(1, 3);
    expect(await tensor(device, part).toNested()).toEqual([2, 3]);
  });

  it('copies what it is given', async () => {
    const device = await freshDevice();
    const data = Float32Array.of(1, 2);
    const x = tensor(device, data);
    data[0] = 9;
    expect(await x.toNested()).toEqual([1, 2]);
  });
});

describe('creation', () => {
  it('fills', async () => {
    const device = await freshDevice();
    expect(await zeros(device, [2]).toNested()).toEqual([0, 0]);
    expect(await ones(device, [1, 2], { dtype: 'int32' }).toNested()).toEqual([[1, 1]]);
    expect(await full(device, [2], -Infinity).toNested()).toEqual([-Infinity, -Infinity]);
    expect(await full(device, [], true).toNested()).toBe(true);
    expect(await ones(device, [2], { dtype: 'bool' }).toNested()).toEqual([true, true]);
    expect(zeros(device, [0, 3]).shape).toEqual([0, 3]);
  });

  it('counts', async () => {
    const device = await freshDevice();
    expect(await arange(device, 3).toNested()).toEqual([0, 1, 2]);
    expect(arange(device, 3).dtype).toBe('int32');
    expect(await arange(device, 3, { start: 1, step: 0.5 }).toNested()).toEqual([1, 1.5, 2]);
    expect(await arange(device, 2, { start: 5, step: -2, dtype: 'float16' }).toNested()).toEqual([5, 3]);
  });

  it('marks positions', async () => {
    const device = await freshDevice();
    const indices = tensor(device, [[0, 2]], { dtype: 'int32' });
    expect(await oneHot(indices, 3).toNested()).toEqual([
      [
        [1, 0, 0],
        [0, 0, 1],
      ],
    ]);
    expect(oneHot(indices, 3, { dtype: 'bool' }).dtype).toBe('bool');
  });
});

describe('random tensors', () => {
  it('are a function of seed, stream and position', async () => {
    const device = await freshDevice();
    const draw = (options: { seed: number; stream?: number }, shape: readonly number[] = [6]) =>
      uniform(device, shape, options).read();
    expect(await draw({ seed: 1 })).toEqual(await draw({ seed: 1 }));
    expect(await draw({ seed: 1 }, [2, 3])).toEqual(await draw({ seed: 1 }));
    expect((await draw({ seed: 1 }, [3])).slice()).toEqual((await draw({ seed: 1 })).slice(0, 3));
    expect(await draw({ seed: 1 })).not.toEqual(await draw({ seed: 2 }));
    expect(await draw({ seed: 1 })).not.toEqual(await draw({ seed: 1, stream: 1 }));
    expect(await draw({ seed: 2 ** 32 - 1 })).toEqual(await draw({ seed: -1 }));
  });

  it('have the moments of their distribution', async () => {
    const device = await freshDevice();
    const count = 4000;
    const moments = (all: ArrayLike<number>) => {
      const list = Array.from(all);
      const mean = list.reduce((sum, one) => sum + one, 0) / count;
      return { mean, variance: list.reduce((sum, one) => sum + (one - mean) ** 2, 0) / count };
    };
    // Five standard errors of the mean and of the variance.
    const flat = moments(
      await uniform(device, [count], { seed: 7, low: -1, high: 3, dtype: 'float64' }).read(),
    );
    expect(Math.abs(flat.mean - 1)).toBeLessThan(5 * Math.sqrt(16 / 12 / count));
    expect(Math.abs(flat.variance - 16 / 12)).toBeLessThan(5 * (16 / 12) * Math.sqrt(0.8 / count));
    const bell = moments(
      await normal(device, [count], { seed: 7, mean: 2, deviation: 3, dtype: 'float64' }).read(),
    );
    expect(Math.abs(bell.mean - 2)).toBeLessThan((5 * 3) / Math.sqrt(count));
    expect(Math.abs(bell.variance - 9)).toBeLessThan(5 * 9 * Math.sqrt(2 / count));
  });

  it('stay inside their bounds', async () => {
    const device = await freshDevice();
    const all = await uniform(device, [1000], { seed: 3, low: 2, high: 5 }).read();
    expect(Math.min(...all)).toBeGreaterThanOrEqual(2);
    expect(Math.max(...all)).toBeLessThan(5);
  });
});
