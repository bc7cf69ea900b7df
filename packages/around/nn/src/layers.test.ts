// The layers without attention, one by one: a number by hand, gradients against differences, what must not be.

import { option } from '@heed/attention';
import { cpu } from '@heed/cpu';
import {
  add,
  div,
  mean,
  mul,
  openDevice,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  uniform,
} from '@heed/tensor';
import { gradientCheck } from '@heed/testing';
import { describe, expect, it } from 'vitest';
import { device, double, rows } from './exact.fixture.ts';
import {
  convolution,
  defineLayer,
  dropout,
  embedding,
  layerNorm,
  linear,
  type Parameters,
  rmsNorm,
} from './index.ts';

/** Gradients of everything that a layer is made of and given. */
const checked = (
  make: (parameters: Parameters) => (x: Tensor) => Tensor,
  x: Tensor,
  parameters: Parameters,
) => gradientCheck(({ x, ...own }) => make(own as Parameters)(x as Tensor), { x, ...parameters });

describe('linear', () => {
  it('is x Wᵀ + b', async () => {
    const layer = linear(device, {
      in: 2,
      out: 3,
      parameters: {
        weight: tensor(device, [
          [1, 2],
          [3, 4],
          [5, 6],
        ]),
        bias: tensor(device, [10, 20, 30]),
      },
    });
    expect(await layer(tensor(device, [[1, -1]])).toNested()).toEqual([[9, 19, 29]]);
    expect(await layer(tensor(device, [1, 0])).toNested()).toEqual([11, 23, 35]);
    expect(layer.label).toBe('linear(in: 2, out: 3)');
  });

  it('differentiates by what it is given and made of', async () => {
    const { parameters } = linear(device, { in: 3, out: 2, seed: 1, ...double });
    await checked((parameters) => linear(device, { in: 3, out: 2, parameters }), rows(2, 4, 3), parameters);
  });

  it('starts the same from the same seed, whatever else it has', async () => {
    const first = linear(device, { in: 3, out: 2, seed: 7 });
    const second = linear(device, { in: 3, out: 2, bias: false, seed: 7 });
    expect(Object.keys(second.parameters)).toEqual(['weight']);
    expect(await first.parameters.weight?.read()).toEqual(await second.parameters.weight?.read());
    const other = linear(device, { in: 3, out: 2, seed: 8 });
    expect(await first.parameters.weight?.read()).not.toEqual(await other.parameters.weight?.read());
  });
});

describe('embedding', () => {
  const table = tensor(device, [
    [1, 2],
    [3, 4],
    [5, 6],
  ]);
  const ids = tensor(device, [[2, 0, 2]], { dtype: 'int32' });

  it('looks rows up, and padding is nothing', async () => {
    const plain = embedding(device, { count: 3, width: 2, parameters: { weight: table } });
    expect(await plain(ids).toNested()).toEqual([
      [
        [5, 6],
        [1, 2],
        [5, 6],
      ],
    ]);
    const padded = embedding(device, { count: 3, width: 2, padding: 0, parameters: { weight: table } });
    expect(await padded(ids).toNested()).toEqual([
      [
        [5, 6],
        [0, 0],
        [5, 6],
      ],
    ]);
  });

  it('gives a row its gradient as often as it was looked up, and none to padding', async () => {
    const layer = embedding(device, { count: 3, width: 2, padding: 0, seed: 1 });
    sum(layer(ids)).backward();
    expect(await layer.parameters.weight?.gradient?.toNested()).toEqual([
      [0, 0],
      [0, 0],
      [2, 2],
    ]);
  });
});

describe('dropout', () => {
  const layer = dropout(device, { rate: 0.25 });

  it('drops its rate of elements while training, and scales the others', async () => {
    const got = await layer(add(rows(3, 100, 40), 5), { train: true, seed: 1 }).read();
    const given = await add(rows(3, 100, 40), 5).read();
    const kept = got.filter((one) => one !== 0).length;
    // Five deviations of a binomial.
    expect(Math.abs(kept - 3000)).toBeLessThan(5 * Math.sqrt(4000 * 0.25 * 0.75));
    for (const [i, one] of got.entries())
      if (one !== 0) expect(one).toBeCloseTo((given[i] as number) / 0.75, 12);
  });

  it('drops the same for the same seed on another backend, and other elements for another', async () => {
    const other = await openDevice(cpu({ threads: 1 }));
    const x = Float32Array.from({ length: 60 }, (_, i) => i + 1);
    const zerosOf = async (of: Tensor) => (await of.read()).map((one) => Number(one === 0)).join('');
    const here = layer(tensor(device, x), { train: true, seed: 5 });
    const there = dropout(other, { rate: 0.25 })(tensor(other, x), { train: true, seed: 5 });
    expect(await zerosOf(there)).toBe(await zerosOf(here));
    expect(await zerosOf(layer(tensor(device, x), { train: true, seed: 6 }))).not.toBe(await zerosOf(here));
    await other.close();
  });

  it('passes everything through in evaluation, and gradients only where it did', async () => {
    const x = rows(4, 3, 4);
    expect(await layer(x, { train: false }).read()).toEqual(await x.read());
    await gradientCheck(({ x }) => layer(x as Tensor, { train: true, seed: 3 }), { x });
  });
});

describe('norms', () => {
  const options = { width: 6, epsilon: 1e-3 };
  const x = rows(5, 4, 6);
  const weight = rows(6, 6);
  const bias = rows(7, 6);

  it('layer-norm is (x - mean) / sqrt(variance + epsilon) * weight + bias', async () => {
    const centred = sub(x, mean(x, { axis: -1, keepDims: true }));
    const size = sqrt(add(mean(square(centred), { axis: -1, keepDims: true }), 1e-3));
    const got = await layerNorm(device, { ...options, parameters: { weight, bias } })(x).read();
    const wanted = await add(mul(div(centred, size), weight), bias).read();
    for (const [i, one] of got.entries()) expect(one).toBeCloseTo(wanted[i] as number, 12);
  });

  it('rms-norm is x / sqrt(mean of squares + epsilon) * weight', async () => {
    const size = sqrt(add(mean(square(x), { axis: -1, keepDims: true }), 1e-3));
    const wanted = await mul(div(x, size), weight).read();
    const got = await rmsNorm(device, { ...options, parameters: { weight } })(x).read();
    for (const [i, one] of got.entries()) expect(one).toBeCloseTo(wanted[i] as number, 12);
  });

  it('differentiate by what they are given and made of', async () => {
    await checked((parameters) => layerNorm(device, { ...options, parameters }), x, { weight, bias });
    await checked((parameters) => layerNorm(device, { ...options, bias: false, parameters }), x, { weight });
    await checked((parameters) => rmsNorm(device, { ...options, parameters }), x, { weight });
  });
});

describe('a layer', () => {
  const two = defineLayer({
    name: 'two',
    options: { width: option.integer({ min: 1 }) },
    make: ({ width }, { add }) => {
      const first = add('first', linear, { in: width, out: width });
      const second = add('second', linear, { in: width, out: width, bias: false });
      return (x: Tensor): Tensor => second(first(x));
    },
  });

  it('names what is inside by paths, each started by its own', async () => {
    const layer = two(device, { width: 3, seed: 1 });
    expect(Object.keys(layer.parameters)).toEqual(['first.weight', 'first.bias', 'second.weight']);
    const { 'first.weight': a, 'second.weight': b } = layer.parameters;
    expect(await a?.read()).not.toEqual(await b?.read());
  });

  it('leaves nothing behind but what it returns, and frees what it made', () => {
    const shared = two(device, { width: 3, seed: 1 });
    const before = device.live.buffers;
    const layer = two(device, {
      width: 3,
      seed: 2,
      parameters: { 'first.weight': shared.parameters['first.weight'] as Tensor },
    });
    expect(device.live.buffers).toBe(before + 2);
    const x = tensor(device, [[1, 2, 3]]);
    const out = layer(x);
    // One for x, one for the result, one for what its gradient reads.
    expect(device.live.buffers).toBe(before + 5);
    out.dispose();
    x.dispose();
    layer.dispose();
    expect(device.live.buffers).toBe(before);
    expect(shared.parameters['first.weight']?.disposed).toBe(false);
    shared.dispose();
  });

  it('does not train what is given untracked', () => {
    const frozen = tensor(device, [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ]);
    const layer = two(device, { width: 3, seed: 2, parameters: { 'second.weight': frozen } });
    sum(layer(tensor(device, [[1, 2, 3]]))).backward();
    expect(frozen.gradient).toBeNull();
    expect(layer.parameters['first.weight']?.gradient).not.toBeNull();
  });
});

describe('convolution', () => {
  const image = (values: number[]) => tensor(device, values, { shape: [1, 3, 3, 1], dtype: 'float64' });
  const filtered = async (weight: number[]) => {
    const parameters = { weight: tensor(device, weight, { shape: [1, 1, 3, 3], dtype: 'float64' }) };
    const layer = convolution(device, { in: 1, out: 1, size: 3, bias: false, parameters });
    return Array.from(await layer(image([1, 2, 3, 4, 5, 6, 7, 8, 9])).read());
  };

  it('sums over the places around a place, zeros beyond the edges', async () => {
    expect(await filtered([1, 1, 1, 1, 1, 1, 1, 1, 1])).toEqual([12, 21, 16, 27, 45, 33, 24, 39, 28]);
    // A cross-correlation: the filter's first number meets what is above and left.
    expect(await filtered([1, 0, 0, 0, 0, 0, 0, 0, 0])).toEqual([0, 0, 0, 0, 1, 2, 0, 4, 5]);
  });

  it('differentiates, and says what does not fit', async () => {
    const { parameters } = convolution(device, { in: 2, out: 3, size: 3, seed: 1, dtype: 'float64' });
    await gradientCheck(
      ({ x, ...own }) =>
        convolution(device, { in: 2, out: 3, size: 3, parameters: own as Parameters })(x as Tensor),
      { x: uniform(device, [1, 3, 2, 2], { seed: 2, dtype: 'float64' }), ...parameters },
      { sample: 4 },
    );
    expect(() => convolution(device, { in: 1, out: 1, size: 2, seed: 1 })).toThrow('expects an odd number');
    expect(() =>
      convolution(device, { in: 2, out: 1, size: 3, seed: 1 })(image(new Array(9).fill(0))),
    ).toThrow('convolution: expected [batch, height, width, in] with 2 channels, got [1, 3, 3, 1].');
  });
});
