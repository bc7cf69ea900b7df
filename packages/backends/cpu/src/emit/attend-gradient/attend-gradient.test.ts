// Gradients of attentions of every form against the reference, on random lengths and layouts.

import {
  type AttentionOptions,
  defineMask,
  defineModifier,
  defineNormalizer,
  defineReweight,
  defineScore,
} from '@heed/attention';
import * as e from '@heed/expr';
import { alibi, bias, causal, learnedScale, padding, relativeTable, window } from '@heed/masks';
import { entmax15, hard, sigmoid, softmax, sparsemax } from '@heed/normalizers';
import { additive, cosine, dot, gaussian, general, laplace, scaledDot } from '@heed/scores';
import type { AttendGradientProgram } from '@heed/tensor';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Lay, lays, Pair } from '../../pair.fixture.ts';
import { machines, wide } from '../math/arrays.fixture.ts';
import { agree, type Case, type Choice, programsOf } from './gradient.fixture.ts';

const { scalar, add, mul, sub } = e;

/** A score that reads matrices, tables of vectors and biases that lie along other axes than rows. */
const wild = defineScore({
  name: 'wild',
  inputs: {
    w: { type: e.mat('feature', 'feature'), along: ['head'] },
    distances: { type: e.table(2, e.vec('feature')), along: [] },
    pairs: { type: scalar, along: ['query', 'key'] },
    perHead: { type: scalar, along: ['keyHead', 'query', 'key'] },
    perKey: { type: scalar, along: ['head', 'key'] },
    perQuery: { type: e.vec('feature'), along: ['query'] },
    one: { type: scalar, along: [] },
  },
  score: ({ q, k, inputs, query, key, keyHead }) => {
    const distance = e.at(inputs.distances, keyHead, sub(key, query));
    const mixed = e.tanh(add(e.matvec(inputs.w, q), mul(k, inputs.perQuery)));
    const product = e.dot(mixed, add(k, distance));
    return add(
      add(mul(product, inputs.one), add(inputs.pairs, inputs.perKey)),
      mul(inputs.perHead, inputs.perHead),
    );
  },
});

const sharp = defineNormalizer({
  name: 'sharp',
  params: { sharpness: { type: scalar, along: ['head'] }, sunk: { type: scalar, along: ['head', 'query'] } },
  weight: ({ score, level, params }) => e.maximum(mul(e.exp(params.sharpness), sub(score, level)), 0),
  level: {
    low: ({ maximum, params }) => sub(maximum, e.exp(e.neg(params.sharpness))),
    high: ({ maximum }) => maximum,
  },
  sink: ({ params }) => params.sunk,
});

const gentle = defineNormalizer({
  name: 'gentle',
  params: { shift: { type: scalar, along: ['head', 'key'] } },
  weight: ({ score, params: { shift } }) => e.sigmoid(add(score, shift)),
  level: 'none',
});

const bell = defineReweight({
  name: 'bell',
  inputs: {
    centre: { type: scalar, along: ['batch', 'head', 'query'] },
    loud: { type: scalar, along: ['key'] },
  },
  factor: ({ key, inputs: { centre, loud } }) =>
    mul(loud, e.exp(e.neg(e.square(mul(0.2, sub(key, centre)))))),
});

const looks = defineReweight({
  name: 'looks',
  factor: ({ q, key }) => e.sigmoid(add(e.sum(q), mul(0.1, e.toFloat(key)))),
});

const odd = defineMask({
  name: 'odd',
  allowed: ({ query, key }) => e.and(e.ne(query, 2), e.ne(e.mod(add(query, key), 3), 0)),
});

const sparse = defineMask({
  name: 'sparse',
  allowed: ({ query, key, keyLength }) => e.and(e.ne(query, 1), e.ne(key, sub(keyLength, 1))),
});

const tilted = defineModifier({
  name: 'tilted',
  params: { tilt: { type: e.table(1), along: ['keyHead'] } },
  modify: ({ score, query, key, params }) =>
    add(score, add(e.at(params.tilt, sub(key, query)), e.at(params.tilt, 1))),
});

const cases: Readonly<Record<string, AttentionOptions | Case>> = {
  'scaled dot, softmax': { score: scaledDot(), normalizer: softmax() },
  'scaled dot, causal, softmax': {
    score: scaledDot(),
    mask: causal({ align: 'start' }),
    normalizer: softmax(),
  },
  'dot, odd pairs, learned sink': { score: dot(), mask: odd(), normalizer: softmax({ sink: 'learned' }) },
  'general, padding, softmax': { score: general(), mask: padding(), normalizer: softmax() },
  'additive, causal, softmax': { score: additive(), mask: causal({ align: 'end' }), normalizer: softmax() },
  'additive, sigmoid': { score: additive(), normalizer: sigmoid() },
  'laplace, window, sparsemax': {
    score: laplace(),
    mask: window({ left: 3, right: 1, align: 'start' }),
    normalizer: sparsemax(),
  },
  'gaussian, entmax': { score: gaussian(), normalizer: entmax15() },
  'cosine, softmax': { score: cosine(), modifiers: [learnedScale()], normalizer: softmax() },
  'dot, hard': { score: dot(), mask: odd(), normalizer: hard() },
  'dot, bias, alibi': { score: scaledDot(), modifiers: [bias(), alibi()], normalizer: softmax() },
  'dot, table, reweight': {
    score: scaledDot(),
    modifiers: [relativeTable({ max: 2, align: 'start' }), tilted()],
    normalizer: softmax(),
    reweight: [bell()],
  },
  wild: {
    options: { score: wild(), mask: odd(), normalizer: softmax({ sink: 'zero' }) },
    tables: { distances: [2, 4] },
  },
  'sharp with a sink': {
    options: { score: scaledDot(), normalizer: sharp(), reweight: [looks()] },
    // Rows computed ahead: exp(sharpness), and the same of its opposite.
    edit: (inputs) => {
      inputs.shared$0 = (inputs.shared$0 as Float64Array<ArrayBuffer>).map((one) =>
        Math.fround(Math.exp(one)),
      );
      inputs.shared$1 = inputs.shared$0.map((one) => 1 / one);
    },
  },
  'gentle, window': { score: dot(), mask: odd(), normalizer: gentle(), reweight: [bell()] },
};

const length = fc.oneof(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 0, max: 20 }));
const choices: fc.Arbitrary<Omit<Choice, 'lays'>> = fc.record({
  lengths: fc
    .record({
      batch: fc.integer({ min: 1, max: 2 }),
      keyHead: fc.integer({ min: 1, max: 3 }),
      group: fc.integer({ min: 1, max: 2 }),
      query: length,
      key: length,
    })
    .map(({ group, ...rest }) => ({ ...rest, head: rest.keyHead * group })),
  features: fc.integer({ min: 1, max: 6 }),
  values: fc.integer({ min: 0, max: 9 }),
  seed: fc.integer({ min: 0, max: 2 ** 20 }),
  upstream: fc.record({
    context: fc.constantFrom(true, true, false),
    weights: fc.boolean(),
    level: fc.boolean(),
  }),
  pool: fc.constantFrom(1, 1, 2, 3),
});

describe.each([...machines, wide])(
  'attend-gradient, relaxed $relaxed, $threads threads, turbo $turbo',
  (machine) => {
    it.each(Object.keys(cases))('agrees with the reference: %s', async (name) => {
      const pair = await Pair.open(machine);
      const found = cases[name] as AttentionOptions | Case;
      const kase: Case = 'options' in found ? found : { options: found };
      await fc.assert(
        fc.asyncProperty(choices, async (choice) => agree(pair, kase, choice)),
        { numRuns: 12 },
      );
    });

    it.each([
      'scaled dot, causal, softmax',
      'general, padding, softmax',
      'dot, bias, alibi',
      'gentle, window',
    ])(
      'agrees over many blocks: %s',
      async (name) => {
        const pair = await Pair.open(machine);
        const options = cases[name] as AttentionOptions;
        const lengths = fc.record({
          batch: fc.constant(1),
          keyHead: fc.integer({ min: 1, max: 2 }),
          query: fc.integer({ min: 60, max: 140 }),
          key: fc.integer({ min: 180, max: 400 }),
        });
        await fc.assert(
          fc.asyncProperty(choices, lengths, async (choice, long) =>
            agree(pair, { options }, { ...choice, lengths: { ...long, head: 2 } }),
          ),
          { numRuns: 3, endOnFailure: true },
        );
      },
      20_000,
    );

    it('computes cheaper within guards and exactly beyond them', async () => {
      const pair = await Pair.open(machine);
      const options: AttentionOptions = { score: additive(), mask: odd(), normalizer: softmax() };
      await fc.assert(
        fc.asyncProperty(choices, fc.constantFrom(5, 15, 40), async (choice, scale) =>
          agree(pair, { options }, { ...choice, scale }),
        ),
        { numRuns: 15 },
      );
    });

    it('reads and writes any layouts and dtypes', async () => {
      const pair = await Pair.open(machine);
      const kase: Case = {
        options: {
          score: wild(),
          modifiers: [bias()],
          mask: odd(),
          normalizer: softmax({ sink: 'learned' }),
        },
      };
      const drawn = fc.record({
        choice: choices,
        dtype: fc.constantFrom('float32', 'float32', 'float16', 'bfloat16'),
        lays: fc.array(lays(6, true), { minLength: 1, maxLength: 5 }),
      });
      await fc.assert(
        fc.asyncProperty(drawn, async ({ choice, dtype, lays: given }) => {
          let next = 0;
          const layOf = (rank: number): Lay => {
            const { order, gap, flip, repeat, offset } = given[next++ % given.length] as Lay;
            return {
              order: order.filter((axis) => axis < rank),
              gap,
              flip,
              repeat: repeat.map(() => false),
              offset,
            };
          };
          await agree(pair, kase, { ...choice, dtype, lays: layOf });
        }),
        { numRuns: 25 },
      );
    });

    it.each(['scaled dot, softmax', 'laplace, window, sparsemax', 'additive, sigmoid', 'wild'])(
      'lets nothing through from rows that nobody reads: %s',
      async (name) => {
        const pair = await Pair.open(machine);
        const found = cases[name] as AttentionOptions | Case;
        const { options, ...rest }: Case = 'options' in found ? found : { options: found };
        await fc.assert(
          fc.asyncProperty(choices, async (choice) => {
            // The last key is never allowed, and neither is the second query.
            const kase = {
              ...rest,
              options: { ...options, mask: [sparse(), ...[options.mask ?? []].flat()] },
            };
            const lengths = { ...choice.lengths, key: choice.lengths.key + 1 };
            const spoil = {
              k: ['key', lengths.key - 1],
              value: ['key', lengths.key - 1],
              perKey: ['key', lengths.key - 1],
              key$0: ['key', lengths.key - 1],
              query$0: ['query', 1],
              q: ['query', 1],
            } as const;
            await agree(pair, kase, { ...choice, lengths, spoil });
          }),
          { numRuns: 12 },
        );
      },
    );
  },
);

describe('attend-gradient', () => {
  it('refuses programs that contradict themselves', async () => {
    const { cpu: backend } = await Pair.open(machines[0] as (typeof machines)[number]);
    const lengths = { batch: 1, head: 1, keyHead: 1, query: 2, key: 2 };
    const upstream = { context: true, weights: false, level: false };
    const choice = { lengths, features: 2, values: 2, seed: 1, upstream, pool: 0 };
    const { stored } = programsOf({ options: { score: scaledDot(), normalizer: softmax() } }, choice);
    const compile = (change: Partial<AttendGradientProgram>) => () =>
      backend.compile({ ...stored.backward, ...change });
    expect(compile({})).not.toThrow();
    expect(compile({ wrt: ['w'] })).toThrow(
      'cpu: attend-gradient: expected "w" among the inputs, got q, k, value.',
    );
    expect(compile({ partials: {} })).toThrow('expected partials of "q", got none');
    expect(compile({ weightByLevel: null })).toThrow('expected how the weight changes with a level');
    expect(compile({ upstream: { ...upstream, weights: true } })).toThrow('weights that were kept');
    const level = e.trace('level', scalar, (x) => x('level', scalar));
    const partials = {
      ...stored.backward.partials,
      q: { score: level, reweight: null, weight: null, sink: null },
    };
    expect(compile({ partials })).toThrow('score by "q": expected a name among');
    expect(
      backend.supports({ ...stored.backward, of: { ...stored.forward, dtype: 'float64' } }),
    ).toMatchObject({
      reason: expect.stringContaining('float64'),
    });
  });
});
