// Bahdanau's layer against the composition it stands for, gradients by differences, and what must not be.

import { attention } from '@heed/attention';
import { padding } from '@heed/masks';
import { load, type Parameters, save } from '@heed/nn';
import { softmax, sparsemax } from '@heed/normalizers';
import { additive } from '@heed/scores';
import { add, minimum, stack, sum, type Tensor, tensor, zeros } from '@heed/tensor';
import { gradientCheck } from '@heed/testing';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { close, device, double, rows } from '../../../around/nn/src/exact.fixture.ts';
import { message, wrong } from '../../../around/nn/src/wrong.fixture.ts';
import { additiveAttention, coverageLoss } from './index.ts';

const widths = { queryWidth: 3, memoryWidth: 5, hidden: 4 };
const small = { ...widths, start: 'glorot', seed: 1, ...double } as const;
const [query, memory] = [rows(1, 2, 3), rows(2, 2, 6, 5)];

describe('additive attention', () => {
  it('is the additive score of its W, U and v over the annotations', async () => {
    for (const more of [{}, { bias: true }, { bias: true, normalized: true }]) {
      const layer = additiveAttention(device, { ...small, ...more });
      const p = layer.parameters as Readonly<Record<string, Tensor>>;
      const params = {
        ...{ w: p['query.weight']!, u: p['memory.weight']!, v: p.v! },
        ...('memory.bias' in p ? { b: p['memory.bias']! } : {}),
        ...('g' in p ? { g: p.g! } : {}),
      };
      const attend = attention({ score: additive({ hidden: 4, ...more }), normalizer: softmax() });
      const wanted = attend(query.unsqueeze(1), memory, memory, { params, weights: true });
      const { context, weights } = layer(query, memory, { weights: true });
      await close(context, wanted.context.squeeze(1));
      await close(weights, wanted.weights.squeeze(1));
    }
  });

  it('gives the same for a memory that is projected once, step by step, and for all steps at once', async () => {
    const layer = additiveAttention(device, small);
    const queries = rows(3, 2, 4, 3);
    const known = layer.remember(memory);
    const steps = Array.from({ length: 4 }, (_, t) =>
      layer(queries.slice(1, t, t + 1).squeeze(1), known, { weights: true }),
    );
    const { context, weights } = layer(queries, memory, { weights: true });
    await close(
      stack(
        steps.map((one) => one.context),
        { axis: 1 },
      ),
      context,
    );
    await close(
      stack(
        steps.map((one) => one.weights),
        { axis: 1 },
      ),
      weights,
    );
  });

  it('looks no further than the lengths, with any normalizer', async () => {
    const layer = additiveAttention(device, { ...small, mask: padding(), normalizer: sparsemax() });
    const lengths = tensor(device, [2, 6], { dtype: 'int32' });
    const { weights } = layer(query, memory, { inputs: { lengths }, weights: true });
    const seen = (await weights.toNested()) as number[][];
    expect(seen[0]?.slice(2)).toEqual([0, 0, 0, 0]);
    expect(seen.map((row) => row.reduce((a, b) => a + b, 0))).toEqual([
      expect.closeTo(1, 12),
      expect.closeTo(1, 12),
    ]);
  });

  it('starts as the paper says: W and U small, v at 0, so that it averages', async () => {
    const layer = additiveAttention(device, { ...widths, hidden: 400, seed: 1, ...double });
    const w = Float64Array.from((await layer.parameters['query.weight']?.read()) as Float64Array);
    const deviation = Math.sqrt(w.reduce((all, one) => all + one * one, 0) / w.length);
    expect(Math.abs(deviation / 0.001 - 1)).toBeLessThan(6 / Math.sqrt(2 * w.length));
    const { weights } = layer(query, memory, { weights: true });
    for (const one of await weights.read()) expect(one).toBeCloseTo(1 / 6, 12);
  });

  it('differentiates by all that it is given and made of', { timeout: 60_000 }, async () => {
    for (const more of [{}, { bias: true, normalized: true }]) {
      const { parameters } = additiveAttention(device, { ...small, ...more });
      await gradientCheck(
        ({ query, memory, ...own }) =>
          additiveAttention(device, { ...widths, ...more, parameters: own as Parameters })(
            query as Tensor,
            memory as Tensor,
          ),
        { query, memory, ...parameters },
        { sample: 3 },
      );
    }
  });

  it('is saved and loaded, and leaves nothing behind', async () => {
    const [from, to] = [additiveAttention(device, small), additiveAttention(device, { ...small, seed: 2 })];
    load(to, await save(from));
    await close(to(query, memory), from(query, memory));
    const before = device.live;
    const known = from.remember(memory);
    const { context, weights } = from(query, known, { weights: true });
    for (const one of [context, weights, known]) one.dispose();
    expect(device.live).toEqual(before);
    expect(memory.disposed).toBe(false);
  });
});

describe('coverage', () => {
  const layer = additiveAttention(device, {
    ...small,
    coverage: true,
    parameters: { 'coverage.weight': tensor(device, [1, -2, 3, -4], double) },
  });

  it('is the sum of the weights before, seen by the score', async () => {
    const none = zeros(device, [2, 6], double);
    const first = layer(query, memory, { coverage: none });
    await close(first.coverage, first.weights);
    const second = layer(query, memory, { coverage: first.coverage });
    await close(second.coverage, add(first.weights, second.weights));
    // The same query looks elsewhere when it has looked before.

    expect(await second.weights.read()).not.toEqual(await first.weights.read());
    await close(
      coverageLoss(second.weights, first.coverage),
      sum(minimum(second.weights, first.weights), { axis: -1 }),
    );
  });

  it('differentiates through the steps', { timeout: 60_000 }, async () => {
    const { parameters } = layer;
    await gradientCheck(
      ({ query, memory, ...own }) => {
        const of = additiveAttention(device, { ...widths, coverage: true, parameters: own as Parameters });
        const first = of(query as Tensor, memory as Tensor, { coverage: zeros(device, [2, 6], double) });
        return of(query as Tensor, memory as Tensor, { coverage: first.coverage }).context;
      },
      { query, memory, ...parameters },
      { sample: 3 },
    );
  });

  it('needs one step at a time, and a layer with it', () => {
    expect(() => layer(rows(1, 2, 4, 3), memory)).toThrow(
      'with coverage each step depends on the one before',
    );
    const without = additiveAttention(device, small);
    expect(() => without(query, memory, { coverage: zeros(device, [2, 6]) })).toThrow(
      'Make it with { coverage: true }',
    );
  });
});

describe('bad input to additive', () => {
  const layer = additiveAttention(device, small);
  const cases: Record<string, () => unknown> = {
    'no hidden width': () => additiveAttention(device, wrong({ queryWidth: 3, memoryWidth: 5, seed: 1 })),
    'a score': () => additiveAttention(device, { ...small, ...wrong({ score: additive() }) }),
    'a start that is none': () => additiveAttention(device, { ...small, start: wrong('he') }),
    'a query of another width': () => layer(rows(1, 2, 4), memory),
    'a memory without a batch': () => layer(query, rows(1, 6, 5)),
    'lengths without a mask': () =>
      layer(query, memory, { inputs: { lengths: tensor(device, [1, 2], { dtype: 'int32' }) } }),
  };
  for (const [name, f] of Object.entries(cases)) it(name, () => expect(message(f)).toMatchSnapshot());

  it('types what comes out by what was asked for', () => {
    expectTypeOf(layer(query, memory)).toEqualTypeOf<Tensor>();
    expectTypeOf(layer(query, memory, { weights: true }).weights).toEqualTypeOf<Tensor>();
  });
});
