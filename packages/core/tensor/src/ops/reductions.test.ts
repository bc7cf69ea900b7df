import { describe, expect, it } from 'vitest';
import { arange } from '../create.ts';
import { tensor } from '../data.ts';
import { checkGradient, freshDevice, leavesNothing, some } from '../device.fixture.ts';
import { parameter } from '../tape/parameter.ts';
import type { Tensor } from '../tensor.ts';
import { cast } from './cast.ts';
import { equal } from './logic.ts';
import * as ops from './reductions.ts';
import { logSoftmax, logsumexp, softmax } from './softmax.ts';

type Reduce = (x: Tensor, options?: ops.ReduceOptions) => Tensor;

const total = (all: readonly number[]) => all.reduce((sum, one) => sum + one, 0);
const average = (all: readonly number[]) => total(all) / all.length;
const reductions: Readonly<Record<string, readonly [Reduce, (all: readonly number[]) => number]>> = {
  sum: [ops.sum, total],
  mean: [ops.mean, average],
  max: [ops.max, (all) => Math.max(...all)],
  min: [ops.min, (all) => Math.min(...all)],
  variance: [ops.variance, (all) => average(all.map((one) => (one - average(all)) ** 2))],
  logsumexp: [logsumexp, (all) => Math.log(total(all.map(Math.exp)))],
};

/** The elements that each result is made of, for a tensor of shape [2, 3, 4]. */
const groups: readonly {
  readonly axis: number | readonly number[];
  readonly shape: readonly number[];
  readonly kept: readonly number[];
}[] = [
  { axis: 0, shape: [3, 4], kept: [1, 3, 4] },
  { axis: 1, shape: [2, 4], kept: [2, 1, 4] },
  { axis: -1, shape: [2, 3], kept: [2, 3, 1] },
  { axis: [0, 2], shape: [3], kept: [1, 3, 1] },
  { axis: [0, 1, 2], shape: [], kept: [1, 1, 1] },
];

describe.each(Object.entries(reductions))('%s', (_, [op, meaning]) => {
  it('reduces the axes it is given', async () => {
    const device = await freshDevice();
    const x = some(device, [2, 3, 4]);
    const flat = await x.read();
    for (const { axis, shape, kept } of groups) {
      const gone = [axis].flat().map((one) => (one + 3) % 3);
      const parts = new Map<string, number[]>();
      for (const [i, one] of flat.entries()) {
        const place = [Math.floor(i / 12), Math.floor(i / 4) % 3, i % 4]
          .filter((_, j) => !gone.includes(j))
          .join();
        parts.set(place, [...(parts.get(place) ?? []), one]);
      }
      const out = op(x, { axis });
      expect(out.shape).toEqual(shape);
      expect(op(x, { axis, keepDims: true }).shape).toEqual(kept);
      for (const [i, one] of [...parts.values()].map(meaning).entries())
        expect((await out.read())[i]).toBeCloseTo(one, 12);
    }
  });

  it('has its gradient, along any axes', async () => {
    const device = await freshDevice();
    const x = some(device, [2, 3, 2]);
    await checkGradient(device, (one) => op(one!), [x]);
    for (const { axis } of groups) {
      await checkGradient(device, (one) => op(one!, { axis }), [x]);
      await checkGradient(device, (one) => op(one!, { axis, keepDims: true }), [x]);
    }
    await checkGradient(device, (one) => op(one!.transpose(0, 2), { axis: 1 }), [x]);
  });
});

describe('reductions of nothing', () => {
  it('give the neutral element', async () => {
    const device = await freshDevice();
    const none = tensor(device, [[], []], { dtype: 'float64' });
    expect(await ops.sum(none, { axis: 1 }).toNested()).toEqual([0, 0]);
    expect(await ops.max(none, { axis: 1 }).toNested()).toEqual([-Infinity, -Infinity]);
    expect(await ops.mean(none, { axis: 1 }).toNested()).toEqual([NaN, NaN]);
    expect(await logsumexp(none, { axis: 1 }).toNested()).toEqual([-Infinity, -Infinity]);
    expect(await ops.sum(none, { axis: 0 }).toNested()).toEqual([]);
  });
});

describe('sum', () => {
  it('counts conditions', async () => {
    const device = await freshDevice();
    const hits = ops.sum(equal(tensor(device, [1, 2, 1]), 1));
    expect(hits.dtype).toBe('float32');
    expect(await hits.item()).toBe(2);
    expect(await ops.sum(arange(device, 4)).item()).toBe(6);
  });
});

describe('max and min', () => {
  it('share the gradient among equal elements, and let NaN win', async () => {
    const device = await freshDevice();
    const x = parameter(tensor(device, [3, 1, 3], { dtype: 'float64' }));
    ops.max(x).backward();
    expect(await x.gradient!.toNested()).toEqual([0.5, 0, 0.5]);
    expect(await ops.min(tensor(device, [1, NaN])).item()).toBeNaN();
  });
});

describe('argmax and argmin', () => {
  it('give the first position of the extreme', async () => {
    const device = await freshDevice();
    const x = tensor(device, [
      [1, 5, 5],
      [2, 0, 0],
    ]);
    expect(await ops.argmax(x, { axis: 1 }).toNested()).toEqual([1, 0]);
    expect(await ops.argmin(x, { axis: 1, keepDims: true }).toNested()).toEqual([[0], [1]]);
    expect(await ops.argmax(x, { axis: 0 }).toNested()).toEqual([1, 0, 0]);
    expect(await ops.argmax(x).item()).toBe(1);
    expect(ops.argmax(x).dtype).toBe('int32');
  });
});

describe('variance', () => {
  it('corrects the number it divides by', async () => {
    const device = await freshDevice();
    expect(await ops.variance(tensor(device, [1, 2, 3, 4]), { correction: 1 }).item()).toBeCloseTo(5 / 3, 6);
  });
});

describe('softmax', () => {
  it('sums to one along its axis, for large scores too', async () => {
    const device = await freshDevice();
    const x = tensor(
      device,
      [
        [1e4, 1e4, -1e4],
        [0, Math.log(3), -Infinity],
      ],
      { dtype: 'float64' },
    );
    const [first, second] = (await softmax(x).toNested()) as number[][];
    expect(first).toEqual([0.5, 0.5, 0]);
    expect(second![0]).toBeCloseTo(0.25, 12);
    expect(
      await ops
        .sum(softmax(x, { axis: 0 }), { axis: 0 })
        .slice(0, 0, 2)
        .toNested(),
    ).toEqual([1, 1]);
  });

  it('gives zeros, and gradient zero, where nothing is finite', async () => {
    const device = await freshDevice();
    const x = parameter(tensor(device, [-Infinity, -Infinity], { dtype: 'float64' }));
    expect(await softmax(x).toNested()).toEqual([0, 0]);
    expect(await logsumexp(x).item()).toBe(-Infinity);
    expect(await logsumexp(tensor(device, [Infinity, 0])).item()).toBe(Infinity);
    ops.sum(softmax(x)).backward();
    expect(await x.gradient!.toNested()).toEqual([0, 0]);
  });

  it('has its gradient along any axis, as its relatives do', async () => {
    const device = await freshDevice();
    for (const axis of [0, 1, 2]) {
      await checkGradient(device, (x) => softmax(x!, { axis }), [some(device, [2, 3, 2])]);
      await checkGradient(device, (x) => logSoftmax(x!, { axis }), [some(device, [2, 3, 2])]);
    }
  });

  it('agrees with its logarithm', async () => {
    const device = await freshDevice();
    const x = some(device, [3, 4]);
    const [a, b] = [await softmax(x).read(), await logSoftmax(x).read()];
    for (const [i, one] of a.entries()) expect(Math.exp(b[i]!)).toBeCloseTo(one, 12);
  });

  it('leaves nothing behind', async () => {
    const device = await freshDevice();
    const x = some(device, [3, 4]);
    await leavesNothing(device, async () => {
      const before = device.live.buffers;
      const y = softmax(x, { axis: 0 });
      expect(device.live.buffers).toBe(before + 1);
      y.dispose();
      const z = logsumexp(cast(x, 'float32'), { axis: 0 });
      z.dispose();
    });
  });
});
