// The laws over parts of every form: what a score, a modifier, a mask and a normalizer can be made of.
import { defineMask, defineModifier, defineNormalizer, defineReweight, defineScore } from '@heed/attention';
import * as e from '@heed/expr';
import { describe, it, vi } from 'vitest';
import { maskLaws } from './mask.ts';
import { modifierLaws } from './modifier.ts';
import { normalizerLaws } from './normalizer.ts';
import { plainDot } from './plain.ts';
import { reweightLaws } from './reweight.ts';
import { scoreLaws } from './score.ts';

// Many scenes each, on machines that may be busy.
vi.setConfig({ testTimeout: 60_000 });

const runner = { describe, it };

const { add, dot, exp, le, matvec, maximum, mul, sub, sum, tanh } = e;

scoreLaws(plainDot, runner);

/** v . tanh(W q + U k + b). */
const hidden = defineScore({
  name: 'hidden',
  widths: 'separate',
  sizes: { hidden: 64 },
  params: {
    w: e.mat('hidden', 'queryFeature'),
    u: e.mat('hidden', 'keyFeature'),
    v: e.vec('hidden'),
    b: e.vec('hidden'),
  },
  score: ({ q, k, params: { w, u, v, b } }) => dot(v, tanh(add(add(matvec(w, q), matvec(u, k)), b))),
});
scoreLaws(hidden, runner);

/** -sum |q - k| / t: nothing can be hoisted. */
const distance = defineScore({
  name: 'distance',
  uniforms: { spread: 1.5 },
  score: ({ q, k, uniforms: { spread } }) => e.div(e.neg(sum(e.abs(sub(q, k)))), spread),
});
scoreLaws(distance, runner);

/** A key of its own coverage, and a bias by relative position for each head. */
const placed = defineScore({
  name: 'placed',
  inputs: {
    seen: { type: e.vec('channels'), along: ['batch', 'key'] },
    bias: { type: e.table(1), along: ['head'] },
    gate: { type: e.scalar, along: ['batch', 'query'] },
  },
  sizes: { channels: 2 },
  params: { f: e.vec('channels') },
  score: ({ q, k, query, key, inputs: { seen, bias, gate }, params: { f } }) =>
    add(mul(gate, add(dot(q, k), dot(f, seen))), e.at(bias, add(sub(key, query), 3))),
});
scoreLaws(placed, runner, { tables: { bias: [7] } });

const lean = defineModifier({
  name: 'lean',
  uniforms: { slope: 0.25, shift: { element: 'int', value: 1 } },
  modify: ({ score, query, key, uniforms: { slope, shift } }) =>
    add(score, mul(slope, sub(add(query, shift), key))),
});
modifierLaws(lean, runner);

const capped = defineModifier({
  name: 'capped',
  params: { cap: { type: e.scalar, along: ['head'] } },
  modify: ({ score, params: { cap } }) =>
    mul(add(e.square(cap), 1), tanh(e.div(score, add(e.square(cap), 1)))),
});
modifierLaws(capped, runner);

const past = defineMask({
  name: 'past',
  allowed: ({ query, key, keyLength, queryLength }) => le(key, add(query, sub(keyLength, queryLength))),
});
maskLaws(past, runner);

const striped = defineMask({
  name: 'striped',
  inputs: { lengths: { type: e.index, along: ['batch'] }, ids: { type: e.index, along: ['batch', 'key'] } },
  allowed: ({ query, key, head, inputs: { lengths, ids } }) =>
    e.or(e.and(e.lt(key, lengths), e.eq(e.mod(sub(query, key), 2), 0)), e.eq(ids, head)),
});
maskLaws(striped, runner);

const simplex = defineNormalizer({
  name: 'simplex',
  weight: ({ score, level }) => maximum(sub(score, level), 0),
  level: { low: (r) => sub(r.maximum, 1), high: (r) => sub(r.maximum, e.div(1, r.count)) },
});
normalizerLaws(simplex, runner);

const sunk = defineNormalizer({
  name: 'sunk',
  params: { sink: { type: e.scalar, along: ['head'] } },
  weight: ({ score, level }) => exp(sub(score, level)),
  level: 'log-sum-exp',
  sink: ({ params }) => params.sink,
});
normalizerLaws(sunk, runner);

const gentle = defineNormalizer({
  name: 'gentle',
  uniforms: { shift: -0.5 },
  weight: ({ score, uniforms: { shift } }) => e.sigmoid(add(score, shift)),
  level: 'none',
});
normalizerLaws(gentle, runner);

const winner = defineNormalizer({
  name: 'winner',
  weight: ({ key, level }) => e.select(e.eq(key, level), 1, 0),
  level: 'argmax',
});
normalizerLaws(winner, runner);

/** A factor for each key, and one learned from the query's row. */
const trusting = defineReweight({
  name: 'trusting',
  uniforms: { least: 0.25 },
  inputs: {
    trust: { type: e.scalar, along: ['batch', 'key'] },
    place: { type: e.vec('channels'), along: ['batch', 'head', 'query'] },
  },
  sizes: { channels: 2 },
  params: { gate: e.vec('queryFeature'), weigh: e.vec('channels') },
  factor: ({ q, params: { gate, weigh }, inputs: { trust, place }, uniforms: { least } }) =>
    add(least, mul(e.square(trust), e.sigmoid(add(dot(gate, q), dot(weigh, place))))),
});
reweightLaws(trusting, runner);

const halved = defineReweight({ name: 'halved', factor: () => 0.5 });
reweightLaws(halved, runner);
