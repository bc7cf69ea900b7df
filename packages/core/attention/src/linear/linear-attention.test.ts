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
      // biome-ignore lint/suspicious/noExplicitAny: what is wrong here would not compile
      const wrong = (value: unknown): any => value;
      const attend = linearAttention();
      const cases = {
        'options that are none': () => linearAttention(wrong('causal')),
        'an option misspelt': () => linearAttention(wrong({ casual: true })),
        'features that are none': () => linearAttention({ features: wrong('elu+1') }),
        'a causal that is no boolean': () => linearAttention({ causal: wrong('yes') }),
        'no rows in a chunk': () => linearAttention({ chunk: 0 }),
        'half a chunk': () => linearAttention({ chunk: wrong('64') }),
        'a negative epsilon': () => linearAttention({ epsilon: -1 }),
        'an epsilon that is none': () => linearAttention({ epsilon: Number.NaN }),
        'features without a count': () => randomFeatures({ count: 0, seed: 1 }),
        'features without a seed': () => randomFeatures(wrong({ count: 4 })),
        'no features': () => randomFeatures(wrong(undefined)),
        'directions that are no tensor': () => randomFeatures({ omega: wrong([[1]]) }),
        'directions of another rank': () => randomFeatures({ omega: drawn(device, 1, 4) }),
        'directions of another width': () =>
          linearAttention({ features: randomFeatures({ omega: drawn(device, 1, 5, 3) }) })(q, k, k),
        'numbers for rows': () => attend(wrong([[1]]), k, k),
        'ints for rows': () => attend(q, tensor(device, [[1, 2, 3, 4]], { dtype: 'int32' }), k),
        'another rank': () => attend(q, k.unsqueeze(0), k),
        'a value of another length': () => attend(q, k, q),
        'a key of another width': () => attend(q, k.slice(1, 0, 2), k),
        'heads that do not divide': () =>
          attend(drawn(device, 1, 1, 3, 2, 4), drawn(device, 2, 1, 2, 2, 4), drawn(device, 3, 1, 2, 2, 4)),
        'causal, and lengths that differ': () => linearAttention({ causal: true })(q, k, k),
        'a call misspelt': () => attend(q, k, k, wrong({ keeps: true })),
        'a keep that is no boolean': () => attend(q, k, k, { keep: wrong(1) }),
        'allowed that is no tensor': () => attend(q, k, k, { allowed: wrong([true]) }),
        'allowed of another length': () => attend(q, k, k, { allowed: tensor(device, [[true, false]]) }),
        'allowed of floats': () => attend(q, k, k, { allowed: wrong(drawn(device, 1, 1, 3)) }),
        'a state that is no tensor': () => attend(q, k, k, { state: wrong(0) }),
        'a state of another shape': () => attend(q, k, k, { state: drawn(device, 1, 1, 1, 1, 4, 4) }),
      };
      expect(
        Object.fromEntries(Object.entries(cases).map(([name, run]) => [name, message(run)])),
      ).toMatchInlineSnapshot(`
        {
          "a call misspelt": "NameError: linearAttention: a call does not take "keeps". Did you mean "keep"? It takes allowed, state, keep.",
          "a causal that is no boolean": "ValueError: linearAttention: the option "causal" expects true or false, got 'yes'.",
          "a keep that is no boolean": "ValueError: linearAttention: "keep" of a call expects true or false, got 1.",
          "a key of another width": "ShapeError: linearAttention: query and key must have one width: query is [2, 4], key is [3, 2], value is [3, 4].",
          "a negative epsilon": "ValueError: linearAttention: the option "epsilon" expects a finite number of at least 0, got -1.",
          "a state of another shape": "ShapeError: linearAttention: state expects [batch, keyHead, 1, features, valueFeature + 1] = [1, 1, 1, 4, 5], got [1, 1, 1, 4, 4]. It is what a call of as many heads and features gave with keep.",
          "a state that is no tensor": "ValueError: linearAttention: "state" of a call expects a tensor, the state of an earlier call, got 0.",
          "a value of another length": "ShapeError: linearAttention: key and value must have one length and equally many heads, and all three one batch: query is [2, 4], key is [3, 4], value is [2, 4].",
          "allowed of another length": "ShapeError: linearAttention: allowed expects booleans [batch, key] = [1, 3], got Tensor(bool [1, 2]). True takes part.",
          "allowed of floats": "ShapeError: linearAttention: allowed expects booleans [batch, key] = [1, 3], got Tensor(float64 [1, 3]). True takes part.",
          "allowed that is no tensor": "ValueError: linearAttention: "allowed" of a call expects a tensor of booleans, got an array.",
          "an epsilon that is none": "ValueError: linearAttention: the option "epsilon" expects a finite number of at least 0, got NaN.",
          "an option misspelt": "NameError: linearAttention: the option "casual" does not exist. Did you mean "causal"? linearAttention takes features, causal, chunk, epsilon.",
          "another rank": "ShapeError: linearAttention: query, key and value expect [batch, head, length, feature], or all without head, or without batch and head; key is [1, 3, 4], query is [2, 4].",
          "causal, and lengths that differ": "ShapeError: linearAttention: causal needs as many queries as keys, each with its own: query is [2, 4], key is [3, 4], value is [3, 4]. For keys that came before, keep the state of their call.",
          "directions of another rank": "ShapeError: randomFeatures: omega expects a tensor [count, feature], got Tensor(float64 [4]).",
          "directions of another width": "ShapeError: randomFeatures: omega expects directions of the rows' 4 features, got [5, 3].",
          "directions that are no tensor": "ShapeError: randomFeatures: omega expects a tensor [count, feature], got an array.",
          "features that are none": "ValueError: linearAttention: the option "features" expects a feature map such as eluPlusOne, got 'elu+1'.",
          "features without a count": "ValueError: randomFeatures: count expects a whole number of at least 1, got 0.",
          "features without a seed": "ValueError: randomFeatures: seed expects a whole number, got undefined.",
          "half a chunk": "ValueError: linearAttention: the option "chunk" expects a whole number of at least 1, got '64'.",
          "heads that do not divide": "ShapeError: linearAttention: the query's heads must be a multiple of the key's: query is [1, 3, 2, 4], key is [1, 2, 2, 4], value is [1, 2, 2, 4].",
          "ints for rows": "DTypeError: linearAttention: key expects floats, got Tensor(int32 [1, 4]). Convert it with cast(key, 'float32').",
          "no features": "DTypeError: randomFeatures: expected { count, seed } or { omega }, got undefined.",
          "no rows in a chunk": "ValueError: linearAttention: the option "chunk" expects a whole number of at least 1, got 0.",
          "numbers for rows": "DTypeError: linearAttention: query expects a tensor, got an array. Make one with tensor(device, ...).",
          "options that are none": "DTypeError: linearAttention: expected its options as an object such as linearAttention({ causal: false, chunk: 64, epsilon: 0 }), got 'causal'.",
        }
      `);
    }));
});
