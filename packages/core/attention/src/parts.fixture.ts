// Parts for the tests of this package, which stands below the packages that hold real ones.

import {
  abs,
  add,
  at,
  div,
  dot,
  exp,
  index,
  le,
  lt,
  mat,
  matvec,
  maximum,
  minimum,
  mul,
  neg,
  pick,
  scalar,
  sqrt,
  sub,
  table,
  tanh,
  toFloat,
  vec,
} from '@heed/expr';
import { reference } from '@heed/reference';
import { type Device, openDevice, type Tensor, uniform } from '@heed/tensor';
import {
  defineMask,
  defineModifier,
  defineNormalizer,
  defineReweight,
  defineScore,
  option,
} from './index.ts';

export const scaledDot = defineScore({
  name: 'scaled-dot',
  score: ({ q, k, size }) => div(dot(q, k), sqrt(size('feature'))),
});

export const additive = defineScore({
  name: 'additive',
  widths: 'separate',
  sizes: { hidden: 64 },
  params: { w: mat('hidden', 'queryFeature'), u: mat('hidden', 'keyFeature'), v: vec('hidden') },
  score: ({ q, k, params: { w, u, v } }) => dot(v, tanh(add(matvec(w, q), matvec(u, k)))),
});

export const causal = defineMask({
  name: 'causal',
  refuse: ({ queryLength, keyLength }) => (queryLength === keyLength ? undefined : 'which ends line up?'),
  allowed: ({ query, key }) => le(key, query),
});

export const padding = defineMask({
  name: 'padding',
  inputs: { lengths: { type: index, along: ['batch'] } },
  allowed: ({ key, inputs: { lengths } }) => lt(key, lengths),
});

export const bias = defineModifier({
  name: 'bias',
  inputs: { bias: { type: scalar, along: ['batch', 'head', 'query', 'key'] } },
  modify: ({ score, inputs }) => add(score, inputs.bias),
});

export const relative = defineModifier({
  name: 'relative',
  options: { reach: option.integer({ min: 1 }) },
  params: { distances: { type: table(1), along: ['head'] } },
  modify: ({ score, query, key, params }, { reach }) =>
    add(score, at(params.distances, add(minimum(maximum(sub(key, query), -reach), reach), reach))),
});

export const temperature = defineModifier({
  name: 'temperature',
  uniforms: { temperature: 1 },
  modify: ({ score, uniforms }) => div(score, uniforms.temperature),
});

export const softmax = defineNormalizer({
  name: 'softmax',
  weight: ({ score, level }) => exp(sub(score, level)),
  level: 'log-sum-exp',
});

export const sparsemax = defineNormalizer({
  name: 'sparsemax',
  weight: ({ score, level }) => maximum(sub(score, level), 0),
  level: { low: ({ maximum: top }) => sub(top, 1), high: ({ maximum: top }) => top },
});

export const sigmoidal = defineNormalizer({
  name: 'sigmoidal',
  weight: ({ score }) => div(1, add(1, exp(neg(score)))),
  level: 'none',
});

/** Luong's local-p without its window: a Gaussian around a place that the query predicts. */
export const centred = defineReweight({
  name: 'centred',
  params: { place: vec('queryFeature') },
  factor: ({ q, key, params }) => exp(neg(abs(sub(toFloat(key), dot(params.place, q))))),
});

/** Luong's location-base score: the query alone says how much each position gets. */
export const location = defineScore({
  name: 'location',
  widths: 'separate',
  sizes: { positions: 16 },
  params: { w: mat('positions', 'queryFeature') },
  score: ({ q, key, params }) => pick(matvec(params.w, q), key),
});

/** A score with work that only the head decides. */
export const sloped = defineModifier({
  name: 'sloped',
  modify: ({ score, head, heads, query, key }) =>
    sub(score, mul(exp(mul(-Math.LN2 * 8, div(add(head, 1), heads))), abs(sub(query, key)))),
});

export const open = (): Promise<Device> => openDevice(reference());

let stream = 0;
/** Numbers between -1 and 1, in float64. */
export const numbers = (device: Device, ...shape: number[]): Tensor =>
  uniform(device, shape, { seed: 7, stream: stream++, low: -1, high: 1, dtype: 'float64' });

export const close = async (a: Tensor, b: Tensor): Promise<number> => {
  const [x, y] = [await a.read(), await b.read()];
  return Math.max(0, ...Array.from(x, (one, i) => Math.abs(Number(one) - Number(y[i]))));
};
