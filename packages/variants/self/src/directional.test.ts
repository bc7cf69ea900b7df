// Token to token, feature by feature: the paper's equations written out over all pairs, as its authors' code does.

import { padding } from '@heed/masks';
import { load, type Parameters, save } from '@heed/nn';
import {
  add,
  concat,
  exp,
  gt,
  matmul,
  mul,
  sigmoid,
  softmax,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  where,
} from '@heed/tensor';
import { gradientCheck } from '@heed/testing';
import { describe, expect, it } from 'vitest';
import { close, device, double, rows } from '../../../around/nn/src/exact.fixture.ts';
import { directionalAttention, featurePooling } from './index.ts';

const made = { width: 4, hidden: 3, seed: 1, ...double };
const x = rows(1, 2, 5, 4);

const sees = {
  forward: (query: number, key: number) => key < query,
  backward: (query: number, key: number) => key > query,
  both: (query: number, key: number) => key !== query,
} as const;

/** With the tensor [batch, query, key, feature] that the layer does not make. */
function written(p: Parameters, direction: keyof typeof sees) {
  const by = (name: string, of: Tensor) => matmul(of, p[`${name}.weight`] as Tensor, { transposeB: true });
  const biased = (name: string, of: Tensor) => add(by(name, of), p[`${name}.bias`] as Tensor);
  const inner = biased('hidden', x) as Tensor<'float64'>;
  const h: Tensor = where(gt(inner, 0), inner, sub(exp(inner), 1) as Tensor<'float64'>);
  const pairs = add(by('query', h).unsqueeze(2), biased('key', h).unsqueeze(1));
  const logits = mul(tanh(mul(pairs, 1 / 5)), 5);
  const seen = Array.from({ length: 5 }, (_, i) =>
    Array.from({ length: 5 }, (_, j) => Number(sees[direction](i, j))),
  );
  const mask = tensor(device, seen, double).reshape([1, 5, 5, 1]);
  // As in the authors' code: far below where masked, and masked again after the softmax.
  const weights = mul(softmax(sub(logits, mul(sub(1, mask), 1e30)), { axis: 2 }), mask);
  const s = sum(mul(weights, h.unsqueeze(1)), { axis: 2 });
  const gate = sigmoid(add(by('gate.context', s), biased('gate.row', h)));
  return { output: add(mul(gate, h), mul(sub(1, gate), s)), weights };
}

describe('directional attention', () => {
  for (const direction of ['forward', 'backward', 'both'] as const) {
    it(`${direction}: is the equations of the paper`, async () => {
      const layer = directionalAttention(device, { ...made, direction });
      const wanted = written(layer.parameters, direction);
      const got = layer(x, { weights: true });
      await close(got.weights, wanted.weights);
      await close(got.output, wanted.output);
      await close(layer(x.slice(0, 0, 1).squeeze(0)), got.output.slice(0, 0, 1).squeeze(0));
    });
  }

  it('takes lengths, and with a pooling is the sentence encoder of the paper', async () => {
    const mask = padding();
    const inputs = { lengths: tensor(device, [3, 5], { dtype: 'int32' }) };
    const [forward, backward] = (['forward', 'backward'] as const).map((direction) =>
      directionalAttention(device, { ...made, direction, mask }),
    );
    const pool = featurePooling(device, { width: 6, seed: 2, mask, ...double });
    const encode = (of: Tensor, lengths: typeof inputs) => {
      const call = { inputs: lengths };
      const sides = [forward?.(of, call) as Tensor, backward?.(of, call) as Tensor];
      return pool(concat(sides, { axis: -1 }), call);
    };
    const short = encode(x.slice(0, 0, 1).slice(1, 0, 3), {
      lengths: tensor(device, [3], { dtype: 'int32' }),
    });
    await close(encode(x, inputs).slice(0, 0, 1), short);
  });

  it('differentiates by all that it is given and made of', { timeout: 60_000 }, async () => {
    const options = { width: 4, hidden: 3, direction: 'backward', bound: 2 } as const;
    const { parameters } = directionalAttention(device, { ...made, ...options });
    await gradientCheck(
      ({ x, ...own }) =>
        directionalAttention(device, { ...options, parameters: own as Parameters })(x as Tensor),
      { x, ...parameters },
      { sample: 3 },
    );
  });

  it('drops weights while training, is saved and loaded, and leaves nothing behind', async () => {
    const layer = directionalAttention(device, { ...made, dropout: 0.5 });
    expect(() => layer(x)).toThrow('each call must say whether it trains');
    const other = directionalAttention(device, { ...made, seed: 2 });
    load(other, await save(layer));
    await close(layer(x, { train: false }), other(x));
    const before = device.live;
    other(x).dispose();
    expect(device.live).toEqual(before);
  });

  it('says what does not fit', () => {
    const layer = directionalAttention(device, made);
    expect(() => layer(rows(1, 2, 3))).toThrow(
      'directional: expected rows [batch, length, width] or [length, width] with a width of 4, got [2, 3].',
    );
    // @ts-expect-error: there is no such direction
    expect(() => directionalAttention(device, { ...made, direction: 'up' })).toThrow(
      'the option "direction" expects',
    );
  });
});
