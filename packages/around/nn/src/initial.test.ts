import { reference } from '@heed/reference';
import { openDevice, type Tensor } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import { type Initializer, initial } from './index.ts';

const device = await openDevice(reference());
const draw = (of: Initializer, shape: readonly number[], seed = 1): Tensor =>
  of.draw(device, shape, { dtype: 'float64', seed: () => seed });

const moments = async (of: Initializer, shape: readonly number[]) => {
  const numbers = Float64Array.from(await draw(of, shape).read());
  const count = numbers.length;
  const mean = numbers.reduce((all, one) => all + one, 0) / count;
  const variance = numbers.reduce((all, one) => all + (one - mean) ** 2, 0) / count;
  return { mean, variance, most: Math.max(...numbers.map(Math.abs)), count };
};

describe('initialisers', () => {
  const shape = [40, 60];
  const cases: readonly (readonly [Initializer, variance: number, most?: number])[] = [
    [initial.uniform({ low: -0.5, high: 0.5 }), 1 / 12, 0.5],
    [initial.normal({ deviation: 3 }), 9],
    [initial.glorotUniform(), 2 / 100, Math.sqrt(6 / 100)],
    [initial.glorotUniform({ gain: 2 }), 8 / 100, 2 * Math.sqrt(6 / 100)],
    [initial.glorotNormal(), 2 / 100],
    [initial.heUniform(), 2 / 60, Math.sqrt(6 / 60)],
    [initial.heNormal({ fan: 'out' }), 2 / 40],
    [initial.heNormal({ slope: 1 }), 1 / 60],
    // The default of PyTorch's nn.Linear: bounds of 1 / sqrt(fanIn).
    [initial.heUniform({ slope: Math.sqrt(5) }), 1 / 60 / 3, 1 / Math.sqrt(60)],
  ];
  for (const [of, variance, most] of cases) {
    it(`${of.label} has mean 0 and the variance of its paper`, async () => {
      const got = await moments(of, shape);
      // Six deviations of the estimates; a normal variable's fourth moment is three times its variance squared.
      expect(Math.abs(got.mean)).toBeLessThan(6 * Math.sqrt(variance / got.count));
      expect(Math.abs(got.variance - variance)).toBeLessThan(6 * variance * Math.sqrt(2 / got.count));
      if (most !== undefined) {
        expect(got.most).toBeLessThanOrEqual(most);
        expect(got.most).toBeGreaterThan(0.99 * most);
      }
    });
  }

  it('count the kernel among the inputs of a convolution', async () => {
    expect((await moments(initial.heUniform(), [8, 4, 5, 5])).most).toBeLessThanOrEqual(Math.sqrt(6 / 100));
    expect((await moments(initial.heUniform(), [8, 4, 5, 5])).most).toBeGreaterThan(
      0.99 * Math.sqrt(6 / 100),
    );
  });

  for (const [rows, columns] of [
    [5, 9],
    [9, 5],
    [6, 6],
  ] as const) {
    it(`orthogonal [${rows}, ${columns}] has orthogonal ${rows <= columns ? 'rows' : 'columns'} of its gain`, async () => {
      const of = (await draw(initial.orthogonal({ gain: 2 }), [rows, columns]).toNested()) as number[][];
      const short = rows <= columns ? of : of[0]!.map((_, j) => of.map((row) => row[j] as number));
      for (const [i, a] of short.entries())
        for (const [j, b] of short.entries())
          expect(a.reduce((all, one, k) => all + one * (b[k] as number), 0)).toBeCloseTo(i === j ? 4 : 0, 12);
    });
  }

  it('give the same numbers for the same seed, and others for another', async () => {
    for (const of of [initial.uniform(), initial.normal(), initial.glorotNormal(), initial.orthogonal()]) {
      expect(await draw(of, [3, 4], 5).read()).toEqual(await draw(of, [3, 4], 5).read());
      expect(await draw(of, [3, 4], 6).read()).not.toEqual(await draw(of, [3, 4], 5).read());
    }
  });

  it('ask for a seed only where they draw', async () => {
    const none = { dtype: 'float32', seed: () => expect.fail('asked') } as const;
    expect(await initial.constant(3).draw(device, [2], none).toNested()).toEqual([3, 3]);
    expect(await initial.identity().draw(device, [2, 3], none).toNested()).toEqual([
      [1, 0, 0],
      [0, 1, 0],
    ]);
  });
});
