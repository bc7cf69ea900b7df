// Luong's local layer: windows, places, gradients by differences, and what must not be. Numbers are in the conformance data.

import { padding } from '@heed/masks';
import { load, type Parameters, save } from '@heed/nn';
import { concat as concatScore } from '@heed/scores';
import { stack, sum, type Tensor, tensor } from '@heed/tensor';
import { gradientCheck } from '@heed/testing';
import { describe, expect, it } from 'vitest';
import { close, device, double, rows } from '../../../around/nn/src/exact.fixture.ts';
import { message, wrong } from '../../../around/nn/src/wrong.fixture.ts';
import { localAttention } from './index.ts';

const widths = { queryWidth: 3, memoryWidth: 5, window: 2 };
const small = { ...widths, seed: 1, ...double };
const [queries, memory] = [rows(1, 2, 4, 3), rows(2, 2, 9, 5)];
const totals = async (weights: Tensor) => Array.from(await sum(weights, { axis: -1 }).read());

describe('local attention', () => {
  it('goes with the step, and is the same one step at a time', async () => {
    const layer = localAttention(device, small);
    const known = layer.remember(memory);
    const { context, weights, places } = layer(queries, memory, { offset: 3, weights: true });
    expect(places).toBeUndefined();
    const seen = (await weights.toNested()) as number[][][];
    expect(seen[0]?.map((row) => row.map((one) => (one > 0 ? '#' : '.')).join(''))).toEqual([
      '.#####...',
      '..#####..',
      '...#####.',
      '....#####',
    ]);
    for (const total of await totals(weights)) expect(total).toBeCloseTo(1, 12);
    const steps = [0, 1, 2, 3].map((t) =>
      layer(queries.slice(1, t, t + 1).squeeze(1), known, { offset: 3 + t }),
    );
    await close(stack(steps, { axis: 1 }), context);
  });

  it('cuts weights of all keys where told, and makes them sum to one again where told', async () => {
    const whole = localAttention(device, { ...small, over: 'all' });
    const { weights } = whole(queries, memory, { weights: true });
    for (const total of await totals(weights)) expect(total).toBeLessThan(0.9);
    const again = localAttention(device, { ...small, over: 'all', renormalize: true });
    // Cut and normalised again is the softmax over the window.
    await close(
      again(queries, memory, { weights: true }).weights,
      localAttention(device, small)(queries, memory, { weights: true }).weights,
    );
    await close(again(queries, memory), localAttention(device, small)(queries, memory));
  });

  it('predicts places within the lengths, and falls off around them', async () => {
    const layer = localAttention(device, { ...small, kind: 'local-p', mask: padding() });
    const lengths = tensor(device, [4, 9], { dtype: 'int32' });
    const { weights, places } = layer(queries, memory, { inputs: { lengths }, weights: true });
    const centres = (await places?.toNested()) as number[][];
    const seen = (await weights.toNested()) as number[][][];
    for (const [b, length] of [4, 9].entries()) {
      for (const [i, centre] of centres[b]!.entries()) {
        expect(centre).toBeGreaterThan(0);
        expect(centre).toBeLessThan(length);
        for (const [j, one] of seen[b]![i]!.entries())
          expect(one > 0).toBe(j < length && Math.abs(j - centre) <= 2);
      }
    }
    for (const total of await totals(weights)) expect(total).toBeLessThan(1);
    const again = localAttention(device, { ...small, kind: 'local-p', mask: padding(), renormalize: true });
    for (const total of await totals(again(queries, memory, { inputs: { lengths }, weights: true }).weights))
      expect(total).toBeCloseTo(1, 12);
  });

  it('gives zeros where no key is in the window, renormalised too', async () => {
    for (const renormalize of [false, true]) {
      const layer = localAttention(device, { ...small, renormalize });
      const { context, weights } = layer(queries, memory, { offset: 100, weights: true });
      for (const one of [...(await context.read()), ...(await weights.read())]) expect(one).toBe(0);
      sum(context).backward();
      expect((await layer.parameters['memory.weight']?.gradient?.read())?.every((one) => one === 0)).toBe(
        true,
      );
    }
  });

  it('differentiates by all that it is given and made of', { timeout: 60_000 }, async () => {
    for (const more of [
      { kind: 'local-p', over: 'all', window: 20 },
      { kind: 'local-p', hidden: 2, renormalize: true, window: 20 },
      { project: false, score: concatScore({ hidden: 2 }) },
    ] as const) {
      const { parameters } = localAttention(device, { ...small, ...more });
      const few = queries.slice(1, 0, 2);
      await gradientCheck(
        ({ few, memory, ...own }) =>
          localAttention(device, { ...widths, ...more, parameters: own as Parameters })(
            few as Tensor,
            memory as Tensor,
          ),
        { few, memory, ...parameters },
        { sample: 3 },
      );
    }
  });

  it('is saved and loaded, and leaves nothing behind', async () => {
    const options = { ...small, kind: 'local-p', renormalize: true } as const;
    const [from, to] = [localAttention(device, options), localAttention(device, { ...options, seed: 2 })];
    load(to, await save(from));
    await close(to(queries, memory), from(queries, memory));
    const before = device.live;
    const known = to.remember(memory);
    const { context, weights, places } = to(queries, known, { weights: true });
    for (const one of [context, weights, places, known]) one?.dispose();
    expect(device.live).toEqual(before);
  });
});

describe('bad input to local', () => {
  const cases: Record<string, () => unknown> = {
    'no window': () => localAttention(device, wrong({ queryWidth: 3, memoryWidth: 5, seed: 1 })),
    'a kind that is none': () => localAttention(device, { ...small, kind: wrong('local-x') }),
    'half a key': () => localAttention(device, { ...small, window: 1.5 }),
    'a deviation of nothing': () => localAttention(device, { ...small, sigma: 0 }),
    'an offset for a place that is predicted': () =>
      localAttention(device, { ...small, kind: 'local-p' })(queries, memory, { offset: 1 }),
    'half a step': () => localAttention(device, small)(queries, memory, { offset: 0.5 }),
    'a query of another width': () => localAttention(device, small)(rows(1, 2, 4), memory),
    'a memory of another width': () => localAttention(device, small)(queries, rows(1, 2, 9, 4)),
  };
  for (const [name, f] of Object.entries(cases)) it(name, () => expect(message(f)).toMatchSnapshot());
});
