import * as e from '@heed/expr';
import { describe, expect, it } from 'vitest';
import { checkGradient, freshDevice, some } from '../device.fixture.ts';
import type { Tensor } from '../tensor.ts';
import { add, mul, rsqrt, sub } from './arithmetic.ts';
import { mean, variance } from './reductions.ts';
import { type RowFormula, rowwise } from './rowwise.ts';

const layerNorm: RowFormula<'epsilon'> = {
  reductions: [
    { name: 'mean', by: 'sum', of: ([x], { length }) => e.div(x!, length) },
    {
      name: 'variance',
      by: 'sum',
      of: ([x], { rows, length }) => e.div(e.square(e.sub(x!, rows.mean!)), length),
    },
  ],
  result: ([x, gain, bias], { rows, uniforms: { epsilon } }) =>
    e.add(e.mul(e.mul(e.sub(x!, rows.mean!), e.rsqrt(e.add(rows.variance!, epsilon))), gain!), bias!),
  per: 'element',
};

const normalise = (x: Tensor, gain: Tensor, bias: Tensor) =>
  rowwise('layerNorm', layerNorm, [x, gain, bias], { uniforms: { epsilon: 1e-5 } });

const spread: RowFormula = {
  reductions: [
    { name: 'largest', by: 'max', of: ([x]) => x! },
    { name: 'below', by: 'min', of: ([x, y], { rows }) => e.mul(e.sub(x!, rows.largest!), y!) },
    { name: 'norm', by: 'sum', of: ([x], { rows }) => e.square(e.mul(x!, rows.below!)) },
  ],
  result: (_, { rows }) => e.add(e.mul(rows.largest!, rows.below!), e.sqrt(rows.norm!)),
  per: 'row',
};

describe('rowwise', () => {
  it('fuses a layer norm that is written as a formula', async () => {
    const device = await freshDevice();
    const [x, gain, bias] = [some(device, [2, 3, 5], 1), some(device, [5], 2), some(device, [5], 3)];
    const by = rsqrt(add(variance(x, { axis: -1, keepDims: true }), 1e-5));
    const expected = await add(
      mul(mul(sub(x, mean(x, { axis: -1, keepDims: true })), by), gain),
      bias,
    ).read();
    for (const [i, one] of (await normalise(x, gain, bias).read()).entries())
      expect(one).toBeCloseTo(expected[i]!, 12);
  });

  it('derives the gradient of the formula, through chains of reductions', async () => {
    const device = await freshDevice();
    await checkGradient(device, (...all) => normalise(all[0]!, all[1]!, all[2]!), [
      some(device, [2, 2, 4], 1),
      some(device, [4], 2),
      some(device, [4], 3),
    ]);
    await checkGradient(device, (...all) => rowwise('spread', spread, [all[0]!, all[1]!]), [
      some(device, [3, 4], 1),
      some(device, [4], 2),
    ]);
  });

  it('computes the gradient of those only that ask', async () => {
    const device = await freshDevice();
    const [gain, bias] = [some(device, [4], 2), some(device, [4], 3)];
    const before = device.live.buffers;
    await checkGradient(device, (x) => normalise(x!, gain, bias), [some(device, [2, 4], 1)]);
    await checkGradient(device, (one) => normalise(gain, one!, bias), [some(device, [4], 1)]);
    expect(device.live.buffers).toBe(before + 2);
  });
});
