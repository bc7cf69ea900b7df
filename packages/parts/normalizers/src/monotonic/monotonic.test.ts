import { reference } from '@heed/reference';
import { type Device, mul, normal, openDevice, sigmoid, sum, type Tensor, tensor } from '@heed/tensor';
import { gradientCheck } from '@heed/testing';
import { describe, expect, it } from 'vitest';
import { message } from '../row.fixture.ts';
import { chunkwise } from './chunkwise.ts';
import { monotonicAlignments, monotonicStep } from './monotonic.ts';

const onDevice = async (body: (device: Device) => Promise<void>): Promise<void> => {
  const device = await openDevice(reference());
  await body(device);
  await device.close();
};
const options = { dtype: 'float64' } as const;
const read = async (of: Tensor): Promise<number[]> => Array.from(await of.read());

/** The paper's equations 8 and 9, number by number. */
function recursion(p: readonly number[], previous: readonly number[]): number[] {
  let q = 0;
  return p.map((one, j) => {
    q = (1 - (j === 0 ? 1 : (p[j - 1] as number))) * q + (previous[j] as number);
    return one * q;
  });
}

describe('monotonicStep', () => {
  it.each(['recursive', 'parallel'] as const)('follows the recursion, %s', (mode) =>
    onDevice(async (device) => {
      for (const keys of [1, 2, 5, 8, 11]) {
        const p = sigmoid(normal(device, [2, keys], { seed: keys, ...options }));
        const previous = mul(sigmoid(normal(device, [2, keys], { seed: 50 + keys, ...options })), 1 / keys);
        const got = (await monotonicStep(p, previous, { mode }).toNested()) as number[][];
        const [ps, before] = [(await p.toNested()) as number[][], (await previous.toNested()) as number[][]];
        for (const [b, row] of ps.entries())
          for (const [j, one] of recursion(row, before[b] as number[]).entries())
            expect(got[b]?.[j]).toBeCloseTo(one, 12);
      }
    }),
  );

  it('stays right where every key before was passed for certain, unless parallel', () =>
    onDevice(async (device) => {
      // Certain to stop at key 0, so that nothing should come from it to key 2, where the step before also stood.
      const [p, previous] = [tensor(device, [1, 0, 0.5], options), tensor(device, [0.5, 0, 0.5], options)];
      expect(await read(monotonicStep(p, previous))).toEqual([0.5, 0, 0.25]);
      // The closed form divides 0.5 by 1e-10 and multiplies it by 0 again.
      expect(await read(monotonicStep(p, previous, { mode: 'parallel' }))).toEqual([0.5, 0, 0]);
    }));

  it('has gradients', () =>
    onDevice(async (device) => {
      const given = {
        p: sigmoid(normal(device, [2, 5], { seed: 1, ...options })),
        previous: sigmoid(normal(device, [2, 5], { seed: 2, ...options })),
      };
      for (const mode of ['recursive', 'parallel'] as const)
        await gradientCheck(
          ({ p, previous }) => monotonicStep(p as Tensor, previous as Tensor, { mode }),
          given,
        );
    }));
});

describe('monotonicAlignments', () => {
  it('moves forward alone, and stops where probabilities are one', () =>
    onDevice(async (device) => {
      const scores = tensor(
        device,
        [
          [-1, 2, 3, -1],
          [5, -1, -2, 1],
          [9, 9, -9, -9],
        ],
        options,
      );
      const hard = await monotonicAlignments(scores, { mode: 'hard' }).toNested();
      // The third query finds nothing from key 3 on: from then on nothing is aligned.
      expect(hard).toEqual([
        [0, 1, 0, 0],
        [0, 0, 0, 1],
        [0, 0, 0, 0],
      ]);
      const allowed = tensor(device, [true, false, true, true]);
      expect(
        ((await monotonicAlignments(scores, { mode: 'hard', allowed }).toNested()) as number[][])[0],
      ).toEqual([0, 0, 1, 0]);
      // Large scores make soft alignments hard.
      const soft = await read(monotonicAlignments(mul(scores, 50)));
      for (const [i, one] of (hard as number[][]).flat().entries()) expect(soft[i]).toBeCloseTo(one, 12);
    }));

  it('has gradients through every step', () =>
    onDevice(async (device) => {
      await gradientCheck(({ scores }) => monotonicAlignments(scores as Tensor, { noise: 1, seed: 3 }), {
        scores: normal(device, [2, 3, 4], { seed: 1, ...options }),
      });
    }));

  it('refuses what it cannot align', () =>
    onDevice(async (device) => {
      const scores = tensor(device, [[1, 2]], options);
      expect(message(() => monotonicAlignments(scores, { noise: 1 }))).toMatchInlineSnapshot(
        `"ValueError: monotonicAlignments: noise needs a seed: { noise: 1, seed: step }."`,
      );
      expect(message(() => monotonicAlignments(scores, { noise: -1 }))).toMatchInlineSnapshot(
        `"ValueError: monotonicAlignments: noise expects a number of at least 0, got -1."`,
      );
      expect(message(() => monotonicAlignments(scores.squeeze(0)))).toMatchInlineSnapshot(
        `"ShapeError: monotonicAlignments: expected scores [..., query, key] of at least one key, got [2]."`,
      );
      // @ts-expect-error: one of two words
      expect(message(() => monotonicStep(scores, scores, { mode: 'fast' }))).toMatchInlineSnapshot(
        `"ValueError: monotonicStep: mode expects 'recursive' or 'parallel', got 'fast'."`,
      );
    }));
});

describe('chunkwise', () => {
  it('spreads an alignment over the keys up to it', () =>
    onDevice(async (device) => {
      const scores = tensor(device, [[Math.log(1), Math.log(3), Math.log(2)]], options);
      const at = tensor(device, [[0, 0, 1]], options);
      const close = async (width: number, expected: readonly number[]) => {
        const got = await read(chunkwise(at, scores, { width }));
        for (const [j, one] of expected.entries()) expect(got[j]).toBeCloseTo(one, 12);
      };
      await close(1, [0, 0, 1]);
      await close(2, [0, 3 / 5, 2 / 5]);
      await close(3, [1 / 6, 3 / 6, 2 / 6]);
      await close(9, [1 / 6, 3 / 6, 2 / 6]);
    }));

  it('keeps the sum, with scores far apart, and has gradients', () =>
    onDevice(async (device) => {
      const apart = tensor(device, [[1000, -1000, 0, -500]], options);
      const alignments = tensor(device, [[0.1, 0.2, 0.3, 0.4]], options);
      expect((await read(sum(chunkwise(alignments, apart, { width: 2 }))))[0]).toBeCloseTo(1, 12);
      await gradientCheck(({ a, u }) => chunkwise(a as Tensor, u as Tensor, { width: 3 }), {
        a: sigmoid(normal(device, [2, 5], { seed: 1, ...options })),
        u: normal(device, [2, 5], { seed: 2, ...options }),
      });
      expect(message(() => chunkwise(alignments, apart, { width: 0 }))).toMatchInlineSnapshot(
        `"ValueError: chunkwise: width expects a whole number of at least 1, got 0."`,
      );
    }));
});
