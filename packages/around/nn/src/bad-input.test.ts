// What a person sees when something does not fit. Each message has been read by one.

import { reference } from '@heed/reference';
import { openDevice, tensor, zeros } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import {
  dropout,
  embedding,
  fromSafetensors,
  initial,
  layerNorm,
  learnedPositions,
  linear,
  load,
  rotary,
  sinusoidal,
  toSafetensors,
} from './index.ts';
import { message, wrong } from './wrong.fixture.ts';

const device = await openDevice(reference());
const t = (...shape: number[]) => zeros(device, shape);
const entry = (text: string) => {
  const header = new TextEncoder().encode(text);
  return Uint8Array.from([header.length, 0, 0, 0, 0, 0, 0, 0, ...header]);
};

describe('bad input to layers', () => {
  const layer = linear(device, { in: 3, out: 2, seed: 1 });
  const cases: Record<string, () => unknown> = {
    'no device': () => linear(wrong({ in: 3, out: 2 }), wrong(undefined)),
    'no options': () => linear(device, wrong(undefined)),
    'a missing option': () => linear(device, wrong({ in: 3 })),
    'an option misspelt': () => linear(device, wrong({ in: 3, output: 2, seed: 1 })),
    'an option of the wrong kind': () => linear(device, wrong({ in: '3', out: 2, seed: 1 })),
    'an option out of range': () => linear(device, { in: 0, out: 2, seed: 1 }),
    'a factory for an initialiser': () =>
      linear(device, wrong({ in: 3, out: 2, initial: initial.heUniform })),
    'no seed': () => linear(device, { in: 3, out: 2 }),
    'half a seed': () => linear(device, { in: 3, out: 2, seed: 0.5 }),
    'a dtype that is no float': () => linear(device, { in: 3, out: 2, seed: 1, dtype: wrong('int32') }),
    'a parameter misspelt': () => linear(device, { in: 3, out: 2, seed: 1, parameters: { wieght: t(2, 3) } }),
    'a parameter transposed': () =>
      linear(device, { in: 3, out: 2, seed: 1, parameters: { weight: t(3, 2) } }),
    'a parameter of ints': () =>
      linear(device, {
        in: 3,
        out: 2,
        seed: 1,
        parameters: { bias: tensor(device, [1, 2], { dtype: 'int32' }) },
      }),
    'rows of another width': () => layer(t(4, 2)),
    'a norm of another width': () => layerNorm(device, { width: 3 })(t(4, 2)),
    'ids that are floats': () => embedding(device, { count: 3, width: 2, seed: 1 })(t(4)),
    'dropout that drops all': () => dropout(device, { rate: 1 }),
    'dropout not told whether it trains': () => dropout(device, { rate: 0.5 })(t(4)),
    'dropout without a seed': () => dropout(device, { rate: 0.5 })(t(4), { train: true }),
    'glorot for a vector': () =>
      initial.glorotUniform().draw(device, [3], { dtype: 'float32', seed: () => 1 }),
    'positions beyond the last': () =>
      learnedPositions(device, { length: 4, width: 2, seed: 1 })(t(3, 2), { offset: 2 }),
    'waves of an odd width': () => sinusoidal(device, { width: 3 }),
    'no layout': () => rotary(wrong({})),
    'a scaling that is none': () =>
      rotary({ layout: 'halves', scaling: wrong({ by: 'dynamic', factor: 2 }) }),
    'a scaling that lacks a length': () =>
      rotary({ layout: 'halves', scaling: wrong({ by: 'yarn', factor: 2 }) }),
    'a magnitude of nothing': () => rotary({ layout: 'halves', magnitude: 0 }),
    'an odd row to turn': () => rotary({ layout: 'halves' })(t(4, 3)),
    'a row too narrow to turn': () => rotary({ layout: 'halves', width: 8 })(t(4, 4)),
    'two ways to say where rows stand': () =>
      rotary({ layout: 'halves' })(t(2, 4), {
        offset: 1,
        positions: tensor(device, [0, 1], { dtype: 'int32' }),
      }),
    'load: missing': () => load(layer, { weight: t(2, 3) }),
    'load: unknown': () => load(layer, { weight: t(2, 3), bais: t(2) }),
    'load: transposed': () => load(layer, { weight: t(3, 2), bias: t(2) }),
    'safetensors: too short': () => fromSafetensors(new Uint8Array(3)),
    'safetensors: another file': () => fromSafetensors(new TextEncoder().encode('PK something else')),
    'safetensors: no entry': () => fromSafetensors(entry('{"a":1}')),
    'safetensors: no JSON': () => fromSafetensors(entry('{"a"')),
    'safetensors: a dtype we lack': () =>
      fromSafetensors(entry('{"a":{"dtype":"I64","shape":[0],"data_offsets":[0,0]}}')),
    'safetensors: bytes missing': () =>
      fromSafetensors(entry('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}')),
    'safetensors: a name taken': () =>
      toSafetensors({ __metadata__: { dtype: 'float32', shape: [], data: new Float32Array(1) } }),
  };
  for (const [name, f] of Object.entries(cases)) it(name, () => expect(message(f)).toMatchSnapshot());
});
