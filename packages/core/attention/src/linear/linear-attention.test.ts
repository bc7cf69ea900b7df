import { dot, exp, HeedError, le, sub as minus, mul as times } from '@heed/expr';
import { reference } from '@heed/reference';
import { type Device, div, mul, normal, openDevice, sum, type Tensor, tensor } from '@heed/tensor';
import { gradientCheck } from '@heed/testing';
import { describe, expect, it } from 'vitest';
import { attention } from '../attention.ts';
import { defineMask } from '../define/mask.ts';
import { defineNormalizer } from '../define/normalizer.ts';
import { defineScore } from '../define/score.ts';
import { eluPlusOne, type FeatureMap, randomFeatures, reluFeatures } from './features.ts';
import { linearAttention } from './linear-attention.ts';

const options = { dtype: 'float64' } as const;
const onDevice = async (body: (device: Device) => Promise<void>): Promise<void> => {
  const device = await openDevice(reference());
  await body(device);
  await device.close();
};
const drawn = (device: Device, seed: number, ...shape: number[]): Tensor =>
  normal(device, shape, { seed, ...options });
const read = async (of: Tensor): Promise<number[]> => Array.from(await of.read());
const close = async (got: Tensor, expected: Tensor, digits = 12): Promise<void> => {
  expect(got.shape).toEqual(expected.shape);
  const [a, b] = [await read(got), await read(expected)];
  for (const [i, one] of b.entries()) expect(a[i]).toBeCloseTo(one, digits);
};
const message = (run: () => unknown): string => {
  try {
    run();
  } catch (problem) {
    if (problem instanceof HeedError) return `${problem.name}: ${problem.message}`;
    throw problem;
  }
  return 'nothing was thrown';
};

const product = defineScore({ name: 'product', score: ({ q, k }) => dot(q, k) });
const itself = defineNormalizer({ name: 'itself', weight: ({ score }) => score, level: 'none' });
const past = defineMask({ name: 'past', allowed: ({ query, key }) => le(key, query) });

/** The definition, pair by pair: products of features as weights, over their sum. */
function byPairs(features: FeatureMap, causal: boolean, q: Tensor, k: Tensor, v: Tensor): Tensor {
  const attend = attention({ score: product(), normalizer: itself(), ...(causal ? { mask: past() } : {}) });
  const { weights, context } = attend(features.of(q, 'query'), features.of(k, 'key'), v, { weights: true });
  return div(context, sum(weights, { axis: -1, keepDims: true }));
}

describe('linearAttention', () => {
  it.each([false, true])('gives what its products give pair by pair (causal: %s)', (causal) =>
    onDevice(async (device) => {
      for (const features of [eluPlusOne, randomFeatures({ count: 5, seed: 3 })]) {
        // Four heads of queries to two of keys; chunks that do not divide the length, or hold it all.
        const [q, k, v] = [
          drawn(device, 1, 2, 4, 7, 3),
          drawn(device, 2, 2, 2, 7, 3),
          drawn(device, 3, 2, 2, 7, 2),
        ] as const;
        const expected = byPairs(features, causal, q, k, v);
        for (const chunk of [1, 3, 64])
          await close(linearAttention({ features, causal, chunk })(q, k, v), expected);
      }
      const [q, k] = [drawn(device, 1, 5, 3), drawn(device, 2, 5, 3)];
      await close(linearAttention({ causal })(q, k, k), byPairs(eluPlusOne, causal, q, k, k));
      await close(
        linearAttention({ causal })(q.unsqueeze(0), k.unsqueeze(0), k.unsqueeze(0)),
        byPairs(eluPlusOne, causal, q, k, k).unsqueeze(0),
      );
    }),
  );

  it('goes on from a state, one row at a time', () =>
    onDevice(async (device) => {
      const [q, k, v] = [
        drawn(device, 1, 2, 5, 3),
        drawn(device, 2, 2, 5, 3),
        drawn(device, 3, 2, 5, 2),
      ] as const;
      const attend = linearAttention({ causal: true });
      const all = attend(q, k, v);
      let { context, state } = attend(q.slice(1, 0, 2), k.slice(1, 0, 2), v.slice(1, 0, 2), { keep: true });
      await close(context, all.slice(1, 0, 2));
      for (let t = 2; t < 5; t++) {
        const row = (of: Tensor): Tensor => of.slice(1, t, t + 1);
        ({ context, state } = attend(row(q), row(k), row(v), { keep: true, state }));
        await close(context, row(all));
      }
    }));

  it('has gradients', () =>
    onDevice(async (device) => {
      const given = {
        q: drawn(device, 1, 1, 2, 5, 3),
        k: drawn(device, 2, 1, 1, 5, 3),
        v: drawn(device, 3, 1, 1, 5, 2),
      };
      for (const causal of [false, true])
        await gradientCheck(
          ({ q, k, v }) => linearAttention({ causal, chunk: 2 })(q as Tensor, k as Tensor, v as Tensor),
          given,
        );
      const features = randomFeatures({ count: 4, seed: 1 });
      await gradientCheck(
        ({ q, k, v }) => linearAttention({ features })(q as Tensor, k as Tensor, v as Tensor),
        given,
      );
    }));

  it('leaves out keys that are not there, whatever they hold', () =>
    onDevice(async (device) => {
      const [q, k] = [drawn(device, 1, 2, 3, 2), drawn(device, 2, 2, 3, 2)];
      const allowed = tensor(device, [
        [true, true, false],
        [false, false, false],
      ]);
      const bad = tensor(
        device,
        [
          [
            [0.3, 0.1],
            [1, -1],
            [NaN, Infinity],
          ],
          [
            [NaN, 0],
            [0, NaN],
            [NaN, 0],
          ],
        ],
        options,
      );
      const clean = linearAttention()(q, bad.slice(1, 0, 2), bad.slice(1, 0, 2));
      const got = linearAttention()(q, bad, bad, { allowed });
      await close(got.slice(0, 0, 1), clean.slice(0, 0, 1));
      expect((await read(got.slice(0, 1, 2))).every((one) => one === 0)).toBe(true);
      void k;
    }));

  it('gives zeros where no feature meets another', () =>
    onDevice(async (device) => {
      const [q, k] = [tensor(device, [[1, -1]], options), tensor(device, [[-1, 1]], options)];
      expect(await read(linearAttention({ features: reluFeatures })(q, k, k))).toEqual([0, 0]);
      // A product of 1, and 1 added: half of the value.
      expect(await read(linearAttention({ features: reluFeatures, epsilon: 1 })(k, k, k))).toEqual([
        -0.5, 0.5,
      ]);
    }));

  it('comes near softmax with many random features', () =>
    onDevice(async (device) => {
      // Half of normal rows: the error grows with their lengths.
      const half = (seed: number, length: number): Tensor => mul(drawn(device, seed, length, 2), 0.5);
      const [q, k, v] = [half(1, 4), half(2, 6), drawn(device, 3, 6, 1)] as const;
      const softmax = defineNormalizer({
        name: 'softmax',
        weight: ({ score, level }) => exp(minus(score, level)),
        level: 'log-sum-exp',
      });
      const scaled = defineScore({
        name: 'scaled',
        score: (rows) => times(dot(rows.q, rows.k), Math.SQRT1_2),
      });
      const exact = attention({ score: scaled(), normalizer: softmax() })(q, k, v);
      const near = linearAttention({ features: randomFeatures({ count: 4000, seed: 1 }) })(q, k, v);
      await close(near, exact, 1);
    }));

  it('says what it cannot do', () =>
    onDevice(async (device) => {
      const [q, k] = [drawn(device, 1, 2, 4), drawn(device, 2, 3, 4)];
      expect(message(() => linearAttention({ causal: true })(q, k, k))).toMatchInlineSnapshot(
        `"ShapeError: linearAttention: causal needs as many queries as keys, each with its own: query is [2, 4], key is [3, 4], value is [3, 4]. For keys that came before, keep the state of their call."`,
      );
      expect(message(() => linearAttention()(q, k, q))).toMatchInlineSnapshot(
        `"ShapeError: linearAttention: key and value must have one length and equally many heads, and all three one batch: query is [2, 4], key is [3, 4], value is [2, 4]."`,
      );
      expect(message(() => linearAttention()(q, k.slice(1, 0, 2), k))).toMatchInlineSnapshot(
        `"ShapeError: linearAttention: query and key must have one width: query is [2, 4], key is [3, 2], value is [3, 4]."`,
      );
      expect(message(() => linearAttention()(q, k.unsqueeze(0), k))).toMatchInlineSnapshot(
        `"ShapeError: linearAttention: query, key and value expect [batch, head, length, feature], or all without head, or without batch and head; key is [1, 3, 4], query is [2, 4]."`,
      );
      expect(message(() => linearAttention({ chunk: 0 }))).toMatchInlineSnapshot(
        `"ValueError: linearAttention: chunk expects a whole number of at least 1, got 0."`,
      );
      expect(message(() => linearAttention({ epsilon: -1 }))).toMatchInlineSnapshot(
        `"ValueError: linearAttention: epsilon expects a number of at least 0, got -1."`,
      );
      expect(message(() => randomFeatures({ count: 0, seed: 1 }))).toMatchInlineSnapshot(
        `"ValueError: randomFeatures: count expects a whole number of at least 1, got 0."`,
      );
      const flags = tensor(device, [[true, false]]);
      expect(message(() => linearAttention()(q, k, k, { allowed: flags }))).toMatchInlineSnapshot(
        `"ShapeError: linearAttention: allowed expects booleans [batch, key] = [1, 3], got Tensor(bool [1, 2]). True takes part."`,
      );
    }));
});
