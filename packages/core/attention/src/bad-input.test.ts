// What a person sees when something does not fit. Each message has been read by one.

import { sub, tanh } from '@heed/expr';
import { type DType, tensor, zeros } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import { attention, defineNormalizer, defineScore, parameters } from './index.ts';
import {
  additive,
  bias,
  causal,
  open,
  padding,
  relative,
  scaledDot,
  sigmoidal,
  softmax,
  temperature,
} from './parts.fixture.ts';

const device = await open();
const t = (...shape: number[]) => zeros(device, shape);
const message = (f: () => unknown): string => {
  try {
    f();
  } catch (problem) {
    return `${(problem as Error).name}: ${(problem as Error).message}`;
  }
  return 'no error';
};

describe('bad input to attention', () => {
  const attend = attention({ score: scaledDot(), normalizer: softmax() });
  const rich = attention({
    score: additive({ hidden: 3 }),
    mask: padding(),
    modifiers: [bias(), temperature()],
    normalizer: softmax(),
  });
  const params = { w: t(3, 4), u: t(3, 4), v: t(3) };
  const inputs = { lengths: tensor(device, [3, 2], { dtype: 'int32' }), bias: t(5, 6) };
  const rows = [t(2, 5, 4), t(2, 6, 4), t(2, 6, 2)] as const;
  const cases: Record<string, () => unknown> = {
    'rows of another width': () => attend(t(2, 5, 4), t(2, 6, 3), t(2, 6, 2)),
    'value of another length': () => attend(t(2, 5, 4), t(2, 6, 4), t(2, 7, 2)),
    'another rank': () => attend(t(2, 5, 4), t(6, 4), t(6, 2)),
    'a rank of one': () => attend(t(5), t(6), t(6)),
    'other batches': () => attend(t(2, 5, 4), t(3, 6, 4), t(3, 6, 2)),
    'heads that do not divide': () => attend(t(1, 3, 5, 4), t(1, 2, 6, 4), t(1, 2, 6, 2)),
    'value of other heads': () => attend(t(1, 4, 5, 4), t(1, 2, 6, 4), t(1, 4, 6, 2)),
    'ints for rows': () => attend(zeros(device, [5, 4], { dtype: 'int32' as DType }), t(6, 4), t(6, 2)),
    'lengths that a mask refuses': () =>
      attention({ score: scaledDot(), mask: causal(), normalizer: softmax() })(...rows),
    'an array for rows': () => attend([[1, 2]] as never, rows[1], rows[2]),
    'nothing for a value': () => (attend as Function)(rows[0], rows[1]),
    'numbers for scores': () => attend.scores(rows[0], new Float32Array(4) as never),
    'a number for the call': () => attend(...rows, 3 as never),
    'a call misspelt': () => attend(...rows, { weigths: true } as never),
    'weights that are a word': () => attend(...rows, { weights: 'yes' as never }),
    'a level that is a number': () => attend(...rows, { level: 1 as never }),
    'a list of inputs': () => attend(...rows, { inputs: [t(1)] as never }),
    'a train that is a word': () =>
      attention({ score: scaledDot(), normalizer: softmax(), dropout: 0.5 })(...rows, {
        train: 'yes' as never,
        seed: 1,
      }),
    'a seed that is a word': () => attend(...rows, { seed: 'one' as never }),
    'an array for a side input': () =>
      rich(...rows, { params, inputs: { ...inputs, bias: [1, 2] as never } }),
    'an array for a parameter': () => rich(...rows, { params: { ...params, w: [[1]] as never }, inputs }),
    'a parameter of another rank': () => rich(...rows, { params: { ...params, w: t(3, 4, 7) }, inputs }),
    'a missing parameter': () => rich(...rows, { params: { w: params.w, u: params.u }, inputs }),
    'an unknown parameter': () => rich(...rows, { params: { ...params, ww: t(1) }, inputs }),
    'a transposed parameter': () => rich(...rows, { params: { ...params, w: t(4, 3) }, inputs }),
    'a missing side input': () => rich(...rows, { params, inputs: { bias: inputs.bias } }),
    'a mask where a bias belongs': () =>
      rich(...rows, { params, inputs: { ...inputs, bias: zeros(device, [5, 6], { dtype: 'bool' }) } }),
    'floats where lengths belong': () => rich(...rows, { params, inputs: { ...inputs, lengths: t(2) } }),
    'an unknown uniform': () => rich(...rows, { params, inputs, uniforms: { temprature: 2 } }),
    'a uniform that is no number': () =>
      rich(...rows, { params, inputs, uniforms: { temperature: Number.NaN } }),
    'a level that is not there': () =>
      attention({ score: scaledDot(), normalizer: sigmoidal() })(...rows, { level: true }),
    'a pool of zero': () => attend(...rows, { weights: { pool: 0 } }),
    'a factory for a part': () => attention({ score: scaledDot as never, normalizer: softmax() }),
    'a name for a part': () => attention({ score: 'scaled-dot' as never, normalizer: softmax() }),
    'a mask for a score': () => attention({ score: causal() as never, normalizer: softmax() }),
    'nothing for a normalizer': () => attention({ score: scaledDot() } as never),
    'a dropout of one': () => attention({ score: scaledDot(), normalizer: softmax(), dropout: 1 }),
    'an unknown option': () => additive({ hiden: 3 } as never),
    'a size of a wrong kind': () => additive({ hidden: 'big' as never }),
    'a missing option': () => relative(undefined as never),
    'an option out of range': () => relative({ reach: 0 }),
    'a number for the options': () => relative(3 as never),
    'a reserved name': () => defineScore({ name: 'x', uniforms: { query: 1 }, score: () => 0 }),
    'a name declared twice': () =>
      defineScore({ name: 'x', sizes: { h: 1 }, uniforms: { h: 1 }, score: () => 0 }),
    'two parts with one parameter': () =>
      attention({
        score: additive(),
        modifiers: [relative({ reach: 1 }), relative({ reach: 2 })],
        normalizer: softmax(),
      }),
    'a size that is not known': () => parameters(rich, device, { seed: 1 }),
    'a weight that log-sum-exp does not normalise': () =>
      defineNormalizer({
        name: 'x',
        weight: ({ score, level }) => tanh(sub(score, level)),
        level: 'log-sum-exp',
      })(),
    'a formula with an operator': () =>
      defineScore({ name: 'x', score: ({ q }) => ((q as never) + 1) as never })(),
    'a formula with an if': () =>
      defineScore({
        name: 'x',
        score: ({ query, key, q, k }) =>
          ((query as never) > (key as never) ? 1 : (q as never) * (k as never)) as never,
      })(),
    'a formula that returns nothing': () => defineScore({ name: 'x', score: () => undefined as never })(),
  };
  for (const [name, f] of Object.entries(cases)) it(name, () => expect(message(f)).toMatchSnapshot());
});
