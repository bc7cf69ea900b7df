// Gradients of attentions of every form against the reference, on random lengths and layouts.

import type { AttentionOptions } from '@heed/attention';
import * as e from '@heed/expr';
import { bias } from '@heed/masks';
import { softmax } from '@heed/normalizers';
import { additive, scaledDot } from '@heed/scores';
import type { AttendGradientProgram } from '@heed/tensor';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cases, odd, unread, wild } from '../../../../trials/cases.fixture.ts';
import { agree, type Case, type Choice, layInTurn, programsOf } from '../../../../trials/gradient.fixture.ts';
import { lays } from '../../../../trials/pair.fixture.ts';
import { openPair } from '../../pair.fixture.ts';
import { machines, wide } from '../math/arrays.fixture.ts';

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
      const pair = await openPair(machine);
      await fc.assert(
        fc.asyncProperty(choices, async (choice) => agree(pair, cases[name] as Case, choice)),
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
        const pair = await openPair(machine);
        const kase = cases[name] as Case;
        const lengths = fc.record({
          batch: fc.constant(1),
          keyHead: fc.integer({ min: 1, max: 2 }),
          query: fc.integer({ min: 60, max: 140 }),
          key: fc.integer({ min: 180, max: 400 }),
        });
        await fc.assert(
          fc.asyncProperty(choices, lengths, async (choice, long) =>
            agree(pair, kase, { ...choice, lengths: { ...long, head: 2 } }),
          ),
          { numRuns: 3, endOnFailure: true },
        );
      },
      20_000,
    );

    it('computes cheaper within guards and exactly beyond them', async () => {
      const pair = await openPair(machine);
      const options: AttentionOptions = { score: additive(), mask: odd(), normalizer: softmax() };
      await fc.assert(
        fc.asyncProperty(choices, fc.constantFrom(5, 15, 40), async (choice, scale) =>
          agree(pair, { options }, { ...choice, scale }),
        ),
        { numRuns: 15 },
      );
    });

    it('reads and writes any layouts and dtypes', async () => {
      const pair = await openPair(machine);
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
          await agree(pair, kase, { ...choice, dtype, lays: layInTurn(given) });
        }),
        { numRuns: 25 },
      );
    });

    it.each(['scaled dot, softmax', 'laplace, window, sparsemax', 'additive, sigmoid', 'wild'])(
      'lets nothing through from rows that nobody reads: %s',
      async (name) => {
        const pair = await openPair(machine);
        await fc.assert(
          fc.asyncProperty(choices, (choice) => agree(pair, ...unread(cases[name] as Case, choice))),
          { numRuns: 12 },
        );
      },
    );
  },
);

describe('attend-gradient', () => {
  it('refuses programs that contradict themselves', async () => {
    const { backend } = await openPair(machines[0] as (typeof machines)[number]);
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
    const level = e.trace('level', e.scalar, (x) => x('level', e.scalar));
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
