// Gradients of attentions of every form against the reference, on random lengths and layouts.

import { allowed, bias } from '@heed/masks';
import { softmax } from '@heed/normalizers';
import { additive, dot, scaledDot } from '@heed/scores';
import fc from 'fast-check';
import { beforeAll, describe, it } from 'vitest';
import { cases, odd, unread, wild } from '../../../../trials/cases.fixture.ts';
import { agree, type Case, type Choice, layInTurn } from '../../../../trials/gradient.fixture.ts';
import { lays, Pair } from '../../../../trials/pair.fixture.ts';
import { nullDevice, openOn, swiftshader } from '../../adapters.fixture.ts';
import type { WebGpuBackend } from '../../device/backend.ts';
import { least } from '../machine.ts';
import { warmUp } from './gradient.fixture.ts';

/** Software devices take a second to compile what one input needs: all calls of a case run one program. */
const MINUTES = 240_000;

type Program = Pick<Choice, 'features' | 'values' | 'upstream' | 'pool'>;

const programs: readonly Program[] = [
  { features: 5, values: 6, upstream: { context: true, weights: false, level: false }, pool: 0 },
  { features: 3, values: 8, upstream: { context: true, weights: true, level: true }, pool: 1 },
  { features: 6, values: 1, upstream: { context: true, weights: true, level: false }, pool: 3 },
  { features: 1, values: 5, upstream: { context: false, weights: true, level: true }, pool: 1 },
];

const length = fc.oneof(
  fc.integer({ min: 1, max: 7 }),
  fc.integer({ min: 0, max: 20 }),
  fc.integer({ min: 30, max: 75 }),
);
const calls = fc.record({
  lengths: fc
    .record({
      batch: fc.integer({ min: 1, max: 2 }),
      keyHead: fc.integer({ min: 1, max: 3 }),
      group: fc.integer({ min: 1, max: 2 }),
      query: length,
      key: length,
    })
    .map(({ group, ...rest }) => ({ ...rest, head: rest.keyHead * group })),
  seed: fc.integer({ min: 0, max: 2 ** 20 }),
});

describe('attend-gradient', () => {
  let pair: Pair<WebGpuBackend>;
  beforeAll(async () => {
    pair = await Pair.with(await openOn(swiftshader()));
  }, 20_000);

  it.each(Object.keys(cases).map((name, i) => [name, programs[i % programs.length] as Program] as const))(
    'agrees with the reference: %s',
    async (name, program) => {
      await fc.assert(
        fc.asyncProperty(calls, async (call) => agree(pair, cases[name] as Case, { ...program, ...call })),
        { numRuns: 6, endOnFailure: true },
      );
    },
    MINUTES,
  );

  it(
    'computes cheaper within guards and exactly beyond them',
    async () => {
      const beyond = (numbers: Float64Array<ArrayBuffer> | undefined): void =>
        numbers?.forEach((_, i) => {
          if (i > 0.9 * numbers.length) numbers[i] = i % 2 === 0 ? 60 : -60;
        });
      const kase: Case = {
        options: { score: additive(), mask: odd(), normalizer: softmax() },
        // The last tiles of queries and of keys are beyond: there exponentials of both together overflow.
        edit: ({ query$0, key$0 }) => [query$0, key$0].forEach(beyond),
      };
      const lengths = { batch: 1, head: 1, keyHead: 1, query: 70, key: 70 };
      await agree(pair, kase, { ...(programs[0] as Program), lengths, seed: 3 });
    },
    MINUTES,
  );

  it(
    'keeps what scores of thousands give',
    async () => {
      const options = { score: scaledDot(), normalizer: softmax() };
      await fc.assert(
        fc.asyncProperty(calls, async (call) =>
          agree(pair, { options }, { ...(programs[0] as Program), ...call, scale: 60 }),
        ),
        { numRuns: 3, endOnFailure: true },
      );
    },
    MINUTES,
  );

  it(
    'reads and writes any layouts and dtypes',
    async () => {
      const kase: Case = {
        options: { score: dot(), modifiers: [bias()], mask: odd(), normalizer: softmax({ sink: 'learned' }) },
      };
      const drawn = fc.record({
        call: calls,
        dtype: fc.constantFrom('float32', 'float16', 'bfloat16'),
        lays: fc.array(lays(6, true), { minLength: 1, maxLength: 5 }),
      });
      await fc.assert(
        fc.asyncProperty(drawn, async ({ call, dtype, lays: given }) => {
          await agree(pair, kase, { ...(programs[1] as Program), ...call, dtype, lays: layInTurn(given) });
        }),
        { numRuns: 3, endOnFailure: true },
      );
    },
    MINUTES,
  );

  it.each(['scaled dot, softmax', 'laplace, window, sparsemax', 'dot, table, reweight'])(
    'lets nothing through from rows that nobody reads: %s',
    async (name) => {
      await fc.assert(
        fc.asyncProperty(calls, (call) =>
          agree(pair, ...unread(cases[name] as Case, { ...(programs[0] as Program), ...call })),
        ),
        { numRuns: 3, endOnFailure: true },
      );
    },
    MINUTES,
  );
});

describe('attend-gradient with the least limits', () => {
  it.each(Object.keys(cases))('compiles: %s', async (name) => {
    const backend = await openOn(nullDevice(), least);
    const lengths = { batch: 2, head: 4, keyHead: 2, query: 40, key: 50 };
    for (const program of programs)
      await warmUp(backend, cases[name] as Case, { ...program, lengths, seed: 1 });
    await backend.close();
  });

  it(
    'gives the same where inputs do not fit its bindings',
    async () => {
      const pair = await Pair.with(await openOn(swiftshader(), least));
      const kase: Case = {
        options: { score: wild(), mask: [odd(), allowed()], normalizer: softmax({ sink: 'zero' }) },
        tables: { distances: [2, 4] },
      };
      const lengths = { batch: 2, head: 4, keyHead: 2, query: 9, key: 11 };
      await agree(pair, kase, { ...(programs[2] as Program), lengths, seed: 7 });
    },
    MINUTES,
  );
});
