// Attentions of every form, for the laws of a backend: rich scores, every kind of level, masks that skip, reweights.

import {
  type AttentionOptions,
  attention,
  compose,
  defineMask,
  defineModifier,
  defineNormalizer,
  defineReweight,
  defineScore,
} from '@heed/attention';
import * as e from '@heed/expr';
import { reference } from '@heed/reference';
import { openScope } from '@heed/tensor';
import { ensure, ensureNear, ensureSame } from '../../assert.ts';
import { Random } from '../../random.ts';
import { attendNaively } from '../../scene/naive.ts';
import { draw } from '../../scene/scene.ts';
import { differentiates, flowsBack } from '../gradient.ts';
import type { Law } from '../law.ts';
import { emptyRows, hides } from '../mask.ts';
import { compilesOnce } from '../modifier.ts';
import { looksAway } from '../normalizer.ts';
import type { Settings } from '../options.ts';
import { givenPairs, plainDot, plainSoftmax } from '../plain.ts';
import { callOf, expected, floatsOn, look, numbers, onDevice, placeAll, roundTo } from '../stand.ts';
import type { Subject } from '../subject.ts';
import { trials } from '../trial.ts';
import { agrees } from '../value.ts';

const { add, dot, exp, mul, sub } = e;

/** v . tanh(W q + U k). */
const additive = defineScore({
  name: 'additive-form',
  widths: 'separate',
  sizes: { hidden: 64 },
  params: { w: e.mat('hidden', 'queryFeature'), u: e.mat('hidden', 'keyFeature'), v: e.vec('hidden') },
  score: ({ q, k, params: { w, u, v } }) => dot(v, e.tanh(add(e.matvec(w, q), e.matvec(u, k)))),
});

/** -sum |q - k|, which no product replaces. */
const distance = defineScore({ name: 'distance-form', score: ({ q, k }) => e.neg(e.sum(e.abs(sub(q, k)))) });

const leaning = defineModifier({
  name: 'leaning-form',
  uniforms: { slope: 0.25 },
  inputs: { bias: { type: e.table(1), along: ['head'] } },
  modify: ({ score, query, key, uniforms: { slope }, inputs: { bias } }) =>
    add(sub(score, mul(slope, e.abs(sub(query, key)))), e.at(bias, e.minimum(key, 3))),
});

const past = defineMask({
  name: 'past-form',
  allowed: ({ query, key, queryLength, keyLength }) => e.le(key, add(query, sub(keyLength, queryLength))),
});

const near = defineMask({
  name: 'near-form',
  inputs: { lengths: { type: e.index, along: ['batch'] } },
  allowed: ({ query, key, inputs: { lengths } }) =>
    e.and(e.lt(key, lengths), e.le(e.abs(sub(query, key)), 4)),
});

const simplex = defineNormalizer({
  name: 'simplex-form',
  weight: ({ score, level }) => e.maximum(sub(score, level), 0),
  level: { low: (r) => sub(r.maximum, 1), high: (r) => sub(r.maximum, e.div(1, r.count)) },
});

const sunk = defineNormalizer({
  name: 'sunk-form',
  params: { sink: { type: e.scalar, along: ['head'] } },
  weight: ({ score, level }) => exp(sub(score, level)),
  level: 'log-sum-exp',
  sink: ({ params }) => params.sink,
});

const gentle = defineNormalizer({
  name: 'gentle-form',
  params: { shift: e.scalar },
  weight: ({ score, params: { shift } }) => e.sigmoid(add(score, shift)),
  level: 'none',
});

const winner = defineNormalizer({
  name: 'winner-form',
  weight: ({ key, level }) => e.select(e.eq(key, level), 1, 0),
  level: 'argmax',
});

const bell = defineReweight({
  name: 'bell-form',
  inputs: { centre: { type: e.scalar, along: ['batch', 'head', 'query'] } },
  factor: ({ key, inputs: { centre } }) => exp(e.neg(e.square(sub(key, centre)))),
});

const compositions: Readonly<Record<string, AttentionOptions>> = {
  'dot, softmax': { score: plainDot(), normalizer: plainSoftmax() },
  'additive, causal, softmax, reweight': {
    score: additive(),
    mask: past(),
    normalizer: plainSoftmax(),
    reweight: [bell()],
  },
  'distance, window and lengths, sparsemax': { score: distance(), mask: near(), normalizer: simplex() },
  'dot, bias and slope, given pairs, sink': {
    score: plainDot(),
    modifiers: [leaning()],
    mask: givenPairs(),
    normalizer: sunk(),
  },
  'additive, lengths, sigmoid': { score: additive(), mask: near(), normalizer: gentle() },
  'dot, causal, hard': { score: plainDot(), mask: past(), normalizer: winner() },
};

/** Laws for each composition, and those about an attention of any parts. */
export function attentionLaws(settings: Settings): Law[] {
  const subjects = Object.entries(compositions).map(
    ([name, options]) => [name, { options, roots: {}, settings } as Subject] as const,
  );
  const each = subjects.flatMap(([name, subject]) => [
    named(name, agrees(subject, ['scores', 'weights', 'context', 'level'])),
    named(name, flowsBack(subject)),
    named(name, differentiates(subject)),
  ]);
  const [, causal] = subjects[1] as (typeof subjects)[number];
  const [, biased] = subjects[3] as (typeof subjects)[number];
  return [
    ...each,
    named('additive, causal', tiled(causal)),
    named('distance, window', tiled((subjects[2] as (typeof subjects)[number])[1])),
    hides(causal, past()),
    emptyRows(causal, past()),
    compilesOnce(biased),
    looksAway(causal),
    pools(causal),
    drops(settings),
  ];
}

const named = (name: string, law: Law): Law => ({ ...law, name: `${name}: ${law.name}` });

/** Lengths beyond any tile, so that tiles are full, partial and empty. */
const tiled = (subject: Subject): Law => ({
  name: 'lengths of many tiles give what the formula says',
  check: () =>
    onDevice(subject.settings.backend, async (device) => {
      const spec = compose(subject.options, false);
      const floats = floatsOn(device);
      const random = new Random(subject.settings.seed);
      const lengths = { batch: 1, head: 2, keyHead: 1, query: 70, key: 150 };
      const scene = draw(spec, lengths, random, { ...subject.settings, round: roundTo[floats] });
      const { values, allowed } = await expected(spec, scene, floats, subject.settings, random);
      const seen = await look(subject.options, scene, device);
      for (const name of ['weights', 'context'] as const) {
        ensureNear(seen[name], values[name], {
          what: name,
          shape: [seen[name].length],
          allowed: allowed[name] ?? 0,
        });
      }
    }),
});

/** Pooled weights are sums over blocks of keys, averaged over blocks of queries. */
const pools = (subject: Subject): Law => ({
  name: 'pooled weights are the blocks of whole weights',
  check: () =>
    onDevice(subject.settings.backend, async (device) => {
      const spec = compose(subject.options, false);
      const floats = floatsOn(device);
      await trials(
        spec,
        subject.settings,
        { least: 1, most: 7, round: roundTo[floats] },
        async ({ scene, random }) => {
          const pool = random.integer(1, 4);
          const { allowed } = await expected(spec, scene, floats, subject.settings, random);
          const { weights } = attendNaively(spec, scene);
          const work = openScope(device);
          const { rows, call } = callOf(spec, placeAll(device, scene.fields, floats), scene.uniforms);
          const pooled = await numbers(
            attention(subject.options)(...rows, { ...call, weights: { pool } }).weights,
          );
          work.close();
          const { query, key } = scene.lengths;
          const [across, down] = [Math.ceil(key / pool), Math.ceil(query / pool)];
          const blocks = new Float64Array(pooled.length);
          for (const [flat, weight] of weights.entries()) {
            const matrix = Math.floor(flat / (query * key));
            const [i, j] = [Math.floor(flat / key) % query, flat % key];
            const [bi, bj] = [Math.floor(i / pool), Math.floor(j / pool)];
            const inBlock = Math.min(pool, query - bi * pool);
            (blocks[(matrix * down + bi) * across + bj] as number) += weight / inBlock;
          }
          ensureNear(pooled, blocks, {
            what: `weights pooled by ${pool}`,
            shape: [pooled.length],
            allowed: pool * pool * (allowed.weights ?? 0),
          });
        },
      );
    }),
});

/** One seed drops the same pairs everywhere, another drops others, and what stays is scaled. */
const drops = (settings: Settings): Law => ({
  name: 'dropout drops the same pairs as the reference, by the seed',
  check: () =>
    onDevice(settings.backend, (device) =>
      onDevice(reference(), async (oracle) => {
        const options: AttentionOptions = { score: plainDot(), normalizer: plainSoftmax(), dropout: 0.4 };
        const spec = compose({ ...options, dropout: 0 }, false);
        await trials(spec, { ...settings, runs: 2 }, { least: 3 }, async ({ scene }) => {
          const weightsOn = async (
            on: typeof device,
            seed: number,
            train: boolean,
          ): Promise<Float64Array> => {
            const work = openScope(on);
            const { rows, call } = callOf(spec, placeAll(on, scene.fields, floatsOn(on)), scene.uniforms);
            const { weights } = attention(options)(...rows, { ...call, weights: true, train, seed });
            const found = await numbers(weights);
            work.close();
            return found;
          };
          const pattern = (of: Float64Array): Float64Array => of.map((weight) => (weight === 0 ? 0 : 1));
          const here = await weightsOn(device, 7, true);
          ensureSame(pattern(here), pattern(await weightsOn(oracle, 7, true)), 'pairs kept', [here.length]);
          ensureSame(await weightsOn(device, 7, true), here, 'weights with the same seed', [here.length]);
          const calm = await weightsOn(device, 7, false);
          ensure(!calm.includes(0), 'without training nothing is dropped');
          const kept = here.findIndex((weight) => weight !== 0);
          const scaled = (here[kept] as number) / (calm[kept] as number);
          ensure(
            kept < 0 || Math.abs(scaled * 0.6 - 1) < 1e-5,
            () => `a kept weight is scaled by ${scaled}, expected ${1 / 0.6}`,
          );
        });
      }),
    ),
});
