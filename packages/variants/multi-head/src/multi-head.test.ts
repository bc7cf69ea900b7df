// The layer against compositions that are written out, its options one by one, and gradients by differences.

import { attention } from '@heed/attention';
import { bias as biasModifier, causal, padding, relativeTable, window } from '@heed/masks';
import { load, type Parameters, rmsNorm, rotary, save } from '@heed/nn';
import { softmax, sparsemax } from '@heed/normalizers';
import { additive, scaledDot } from '@heed/scores';
import { add, concat, matmul, parameter, sum, type Tensor, tensor, zeros } from '@heed/tensor';
import { gradientCheck } from '@heed/testing';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { close, device, double, rows } from '../../../around/nn/src/exact.fixture.ts';
import { keyValueCache, multiHead } from './index.ts';

const small = { width: 6, heads: 2, seed: 1, ...double };

describe('multi-head', () => {
  it('is projections, attention head by head, and a projection', async () => {
    const layer = multiHead(device, small);
    const x = rows(1, 2, 5, 6);
    const p = layer.parameters as Readonly<Record<string, Tensor>>;
    const project = (name: string, of: Tensor) =>
      add(matmul(of, p[`${name}.weight`]!, { transposeB: true }), p[`${name}.bias`]!);
    const attend = attention({ score: scaledDot(), normalizer: softmax() });
    const [q, k, v] = [project('query', x), project('key', x), project('value', x)];
    const head = (i: number) => {
      const of = (t: Tensor) => t.slice(-1, 3 * i, 3 * i + 3);
      return attend(of(q), of(k), of(v));
    };
    await close(layer(x), project('output', concat([head(0), head(1)], { axis: -1 })));
  });

  it('takes rows without a batch, other rows, and keys and values apart', async () => {
    const layer = multiHead(device, { ...small, keyWidth: 4, valueWidth: 3, out: 5, valueHeadWidth: 2 });
    const [q, k, v] = [rows(1, 2, 5, 6), rows(2, 2, 7, 4), rows(3, 2, 7, 3)];
    const { output, weights } = layer(q, k, v, { weights: true });
    expect([output.shape, weights.shape]).toEqual([
      [2, 5, 5],
      [2, 2, 5, 7],
    ]);
    const one = (t: Tensor) => t.slice(0, 0, 1).squeeze(0);
    const alone = layer(one(q), one(k), one(v), { weights: true });
    await close(alone.output, one(output));
    await close(alone.weights, one(weights));
    await close(layer(q, layer.remember(k, v)), output);
    const same = multiHead(device, small);
    await close(same(q, q), same(q));
  });

  it('groups heads: each key head serves consecutive query heads', async () => {
    const grouped = multiHead(device, { ...small, width: 8, heads: 4, keyHeads: 2 });
    expect(grouped.parameters['key.weight']?.shape).toEqual([4, 8]);
    const twice = (name: string): Tensor => {
      const of = grouped.parameters[name] as Tensor;
      const width = of.shape.slice(1);
      return of
        .reshape([2, 1, 2, ...width])
        .expand([2, 2, 2, ...width])
        .reshape([8, ...width]);
    };
    const repeated = { ...grouped.parameters };
    for (const name of ['key.weight', 'key.bias', 'value.weight', 'value.bias']) repeated[name] = twice(name);
    const full = multiHead(device, { width: 8, heads: 4, parameters: repeated });
    const x = rows(1, 2, 5, 8);
    await close(grouped(x), full(x));
  });

  describe('differentiates by all that it is given and made of', () => {
    const variants = {
      plain: { keyWidth: 5, valueWidth: 4, headWidth: 2, valueHeadWidth: 3, keyHeads: 1 },
      'with extra keys': { learnedKey: true, zeroKey: true, mask: causal({ align: 'start' }) },
      turned: { rotary: rotary({ layout: 'interleaved', width: 2 }), queryKeyNorm: 'rms' },
      'with parts that train': {
        queryKeyNorm: 'layer',
        score: additive({ hidden: 2 }),
        normalizer: softmax({ sink: 'learned' }),
      },
      talking: { talkingHeads: true, mask: causal({ align: 'start' }), headWidth: 2 },
    } as const;
    for (const [name, options] of Object.entries(variants)) {
      it(name, { timeout: 60_000 }, async () => {
        const settings = { width: 4, heads: 2, ...options };
        const { keyWidth = 4, valueWidth = 4 } = settings as { keyWidth?: number; valueWidth?: number };
        const { parameters } = multiHead(device, { ...settings, seed: 3, ...double });
        const given = { q: rows(1, 1, 3, 4), k: rows(2, 1, 4, keyWidth), v: rows(3, 1, 4, valueWidth) };
        await gradientCheck(
          ({ q, k, v, ...own }) =>
            multiHead(device, { ...settings, parameters: own as Parameters })(
              q as Tensor,
              k as Tensor,
              v as Tensor,
            ),
          { ...given, ...parameters },
          { sample: 2 },
        );
      });
    }
  });

  it('takes parts, their parameters and their tensors', async () => {
    const layer = multiHead(device, {
      ...small,
      score: additive({ hidden: 4 }),
      mask: [padding()],
      modifiers: [relativeTable({ max: 1, align: 'start' })],
      normalizer: sparsemax(),
      parameters: { 'attention.relative': parameter(zeros(device, [2, 3], double)) },
    });
    expect(Object.keys(layer.parameters).filter((path) => path.startsWith('attention'))).toEqual([
      'attention.w',
      'attention.u',
      'attention.v',
      'attention.relative',
    ]);
    const lengths = tensor(device, [2, 3], { dtype: 'int32' });
    const { weights } = layer(rows(1, 2, 3, 6), { inputs: { lengths }, weights: true });
    const seen = (await weights.toNested()) as number[][][][];
    expect(seen[0]?.[0]?.map((row) => row[2])).toEqual([0, 0, 0]);
    expect(() => multiHead(device, { ...small, modifiers: [relativeTable({ max: 1 })] })).toThrow(
      'multi-head: "attention.relative" is a table of relative-table(max: 1), whose lengths are yours to choose. Make it with',
    );
  });

  it('drops weights while training, and refuses a call that does not say', async () => {
    const layer = multiHead(device, { ...small, dropout: 0.5 });
    const x = rows(1, 2, 8, 6);
    expect(() => layer(x)).toThrow('each call must say whether it trains');
    await close(layer(x, { train: false }), multiHead(device, small)(x));
    const { weights } = layer(x, { train: true, seed: 1, weights: true });
    expect((await weights.read()).some((one) => one === 0)).toBe(true);
    await close(layer(x, { train: true, seed: 1 }), layer(x, { train: true, seed: 1, weights: true }).output);
  });

  it('starts the same from the same seed, and is saved and loaded', async () => {
    const [from, to] = [multiHead(device, small), multiHead(device, { ...small, seed: 2 })];
    const x = rows(1, 2, 3, 6);
    await close(from(x), multiHead(device, small)(x));
    load(to, await save(from));
    await close(to(x), from(x));
  });

  it('leaves nothing behind', () => {
    const layer = multiHead(device, { ...small, learnedKey: true, talkingHeads: true, queryKeyNorm: 'rms' });
    const x = rows(1, 2, 3, 6);
    const before = device.live;
    const { output, weights } = layer(x, { weights: true });
    sum(output).dispose();
    for (const one of [output, weights]) one.dispose();
    expect(device.live).toEqual(before);
  });

  it('types what comes out by what was asked for', () => {
    const layer = multiHead(device, small);
    const x = rows(1, 2, 3, 6);
    expectTypeOf(layer(x)).toEqualTypeOf<Tensor>();
    expectTypeOf(layer(x, { train: false })).toEqualTypeOf<Tensor>();
    expectTypeOf(layer(x, { weights: true }).weights).toEqualTypeOf<Tensor>();
    expectTypeOf(layer(x, { cache: keyValueCache() }).cache.seen).toEqualTypeOf<number>();
    // @ts-expect-error: nobody asked for weights
    expect(layer(x).weights).toBeUndefined();
    // @ts-expect-error: there is no such option
    expect(() => multiHead(device, { ...small, headCount: 3 })).toThrow('"headCount" does not exist');
  });
});

describe('keys that belong to no row', () => {
  it('are seen by every query, whatever the mask, and change no bias', async () => {
    const options = { ...small, zeroKey: true, mask: causal(), modifiers: [biasModifier()] };
    const x = rows(1, 1, 3, 6);
    const inputs = { bias: rows(2, 3, 3) };
    const { weights } = multiHead(device, options)(x, { inputs, weights: true });
    const seen = (await weights.toNested()) as number[][][][];
    expect(seen[0]?.[0]?.map((row) => row.map((one) => Number(one > 0)))).toEqual([
      [1, 0, 0, 1],
      [1, 1, 0, 1],
      [1, 1, 1, 1],
    ]);
    // A key and a value of zeros are softmax-plus-one.
    const sink = multiHead(device, { ...options, zeroKey: false, normalizer: softmax({ sink: 'zero' }) });
    await close(multiHead(device, options)(x, { inputs }), sink(x, { inputs }));
  });
});

describe('query-key normalisation', () => {
  it('is a norm of each head before the scores', async () => {
    const layer = multiHead(device, { ...small, queryKeyNorm: 'rms', bias: false });
    const x = rows(1, 1, 4, 6);
    const p = layer.parameters as Readonly<Record<string, Tensor>>;
    const norm = (of: 'query' | 'key') => {
      const heads = matmul(x, p[`${of}.weight`]!, { transposeB: true })
        .reshape([1, 4, 2, 3])
        .permute([0, 2, 1, 3]);
      return rmsNorm(device, { width: 3, parameters: { weight: p[`${of}Norm.weight`]! } })(heads);
    };
    const attend = attention({ score: scaledDot(), normalizer: softmax() });
    const { weights } = layer(x, { weights: true });
    await close(weights, attend(norm('query'), norm('key'), norm('key'), { weights: true }).weights);
  });
});

describe('talking heads', () => {
  it('start as heads that do not talk', async () => {
    const mask = causal();
    const [talking, silent] = [
      multiHead(device, { ...small, mask, talkingHeads: true }),
      multiHead(device, { ...small, mask }),
    ];
    const x = rows(1, 2, 4, 6);
    await close(talking(x), silent(x));
    await close(talking(x, { weights: true }).weights, silent(x, { weights: true }).weights);
  });

  it('mix scores before and weights after normalising', async () => {
    // Heads exchanged among scores, and back among weights: each head averages its values by the other's queries and keys, twice over.
    const swap = tensor(
      device,
      [
        [0, 1],
        [1, 0],
      ],
      double,
    );
    const plain = multiHead(device, small);
    const both = multiHead(device, {
      ...small,
      talkingHeads: true,
      parameters: { 'talking.scores': swap, 'talking.weights': swap },
    });
    const x = rows(1, 1, 4, 6);
    await close(both(x), plain(x));
    const half = multiHead(device, { ...small, talkingHeads: true, parameters: { 'talking.scores': swap } });
    const { weights } = half(x, { weights: true });
    const own = plain(x, { weights: true }).weights;
    await close(weights, concat([own.slice(1, 1, 2), own.slice(1, 0, 1)], { axis: 1 }));
  });

  it('let nothing through from keys that are not there, forward or backward', async () => {
    const layer = multiHead(device, { ...small, talkingHeads: true, mask: padding() });
    const whole = rows(1, 1, 3, 6);
    const broken = concat([whole, tensor(device, [[new Array(6).fill(Number.NaN)]], double)], { axis: 1 });
    const lengths = tensor(device, [3], { dtype: 'int32' });
    const output = layer(whole, broken, { inputs: { lengths } });
    await close(output, layer(whole, whole, { inputs: { lengths } }));
    sum(output).backward();
    for (const path of ['talking.scores', 'talking.weights', 'query.weight'])
      expect((await layer.parameters[path]?.gradient?.read())?.every(Number.isFinite)).toBe(true);
  });
});

describe('a cache', () => {
  const options = {
    ...small,
    rotary: rotary({ layout: 'halves', width: 2 }),
    mask: causal({ align: 'end' }),
  };

  it('continues a sequence as if it were whole', async () => {
    const layer = multiHead(device, options);
    const x = rows(1, 2, 7, 6);
    const whole = layer(x);
    let cache = keyValueCache();
    const pieces: Tensor[] = [];
    for (const [from, to] of [
      [0, 3],
      [3, 4],
      [4, 7],
    ] as const) {
      const step = layer(x.slice(1, from, to), { cache });
      cache.dispose();
      cache = step.cache;
      pieces.push(step.output);
    }
    expect([cache.seen, cache.key?.shape]).toEqual([7, [2, 2, 7, 3]]);
    await close(concat(pieces, { axis: 1 }), whole);
    cache.dispose();
  });

  it('that keeps the latest rows is enough for a window', async () => {
    const layer = multiHead(device, { ...options, mask: window({ left: 2, right: 0, align: 'end' }) });
    const x = rows(1, 1, 9, 6);
    const whole = layer(x);
    let cache = keyValueCache({ keep: 2 });
    const pieces: Tensor[] = [];
    for (const [from, to] of [
      [0, 1],
      [1, 5],
      [5, 6],
      [6, 9],
    ] as const) {
      const step = layer(x.slice(1, from, to), { cache });
      cache = step.cache;
      pieces.push(step.output);
    }
    expect([cache.seen, cache.key?.shape]).toEqual([9, [1, 2, 2, 3]]);
    await close(concat(pieces, { axis: 1 }), whole);
  });

  it('is a value: two continuations may begin at one', async () => {
    const layer = multiHead(device, options);
    const x = rows(1, 1, 4, 6);
    const { cache } = layer(x.slice(1, 0, 2), { cache: keyValueCache() });
    const [a, b] = [layer(x.slice(1, 2, 3), { cache }), layer(x.slice(1, 2, 3), { cache })];
    expect([cache.seen, a.cache.seen, b.cache.seen]).toEqual([2, 3, 3]);
    await close(a.output, b.output);
  });

  it('asks which ends line up', () => {
    const layer = multiHead(device, { ...options, mask: causal() });
    const { cache } = layer(rows(1, 1, 2, 6), { cache: keyValueCache() });
    expect(() => layer(rows(1, 1, 1, 6), { cache })).toThrow(
      "align: 'end' puts the last query at the last key",
    );
  });
});
