// What a person sees when something does not fit. Each message has been read by one.

import { causal } from '@heed/masks';
import { reference } from '@heed/reference';
import { openDevice, type Tensor, zeros } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import { message, wrong } from '../../../around/nn/src/wrong.fixture.ts';
import { fromKeras, fromPyTorch, keyValueCache, multiHead } from './index.ts';

const device = await openDevice(reference());
const t = (...shape: number[]): Tensor => zeros(device, shape);

describe('bad input to multi-head', () => {
  const layer = multiHead(device, { width: 4, heads: 2, seed: 1 });
  const cases: Record<string, () => unknown> = {
    'heads that do not divide': () => multiHead(device, { width: 4, heads: 3, seed: 1 }),
    'key heads that do not divide': () =>
      multiHead(device, { width: 4, heads: 2, keyHeads: 3, headWidth: 2, seed: 1 }),
    'a factory for a mask': () => multiHead(device, { width: 4, heads: 2, mask: wrong(causal), seed: 1 }),
    'a name for a score': () => multiHead(device, { width: 4, heads: 2, score: wrong('dot'), seed: 1 }),
    'a modifier alone': () => multiHead(device, { width: 4, heads: 2, modifiers: wrong(causal()), seed: 1 }),
    'options for rotary': () =>
      multiHead(device, { width: 4, heads: 2, rotary: wrong({ layout: 'halves' }), seed: 1 }),
    'a norm misspelt': () => multiHead(device, { width: 4, heads: 2, queryKeyNorm: wrong('l2'), seed: 1 }),
    'no seed': () => multiHead(device, { width: 4, heads: 2 }),
    'a parameter of another shape': () =>
      multiHead(device, { width: 4, heads: 2, seed: 1, parameters: { 'query.weight': t(4, 5) } }),
    'a parameter misspelt': () =>
      multiHead(device, { width: 4, heads: 2, seed: 1, parameters: { 'querry.weight': t(4, 4) } }),
    'rows of another width': () => layer(t(2, 3, 5)),
    'heads given': () => layer(t(2, 2, 3, 4)),
    'nothing given': () => wrong(layer)(),
    'four tensors': () => wrong(layer)(t(2, 4), t(2, 4), t(2, 4), t(2, 4)),
    'lengths that differ': () => layer(t(2, 4), t(3, 4), t(2, 4)),
    'an input that nobody declared': () => layer(t(2, 4), { inputs: { lengths: t(1) } }),
    'an input that nobody declared, among talking heads': () =>
      multiHead(device, { width: 4, heads: 2, talkingHeads: true, seed: 1 })(t(2, 4), {
        inputs: { lengths: t(1) },
      }),
    'a memory and a cache': () => layer(t(2, 4), layer.remember(t(3, 4)), { cache: keyValueCache() }),
    'a cache that keeps nothing': () => keyValueCache({ keep: 0 }),
    'PyTorch: another layer': () => fromPyTorch({ 'linear1.weight': t(4, 4) }),
    'PyTorch: how many heads': () => fromPyTorch({ bias_k: t(1, 1, 4) }),
    'Keras: another layer': () => fromKeras({ 'dense/kernel': t(4, 4) }),
  };
  for (const [name, f] of Object.entries(cases)) it(name, () => expect(message(f)).toMatchSnapshot());
});
