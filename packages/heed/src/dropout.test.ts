// Dropout with other parts: the same seed drops the same pairs on every backend, and gradients pass through what is left.

import { cpu } from '@heed/cpu';
import { reference } from '@heed/reference';
import { webgpu } from '@heed/webgpu';
import { expect, it, vi } from 'vitest';
import { swiftshader } from '../../backends/webgpu/src/adapters.fixture.ts';
import { attention, masks, normalizers, openDevice, ops, parameter, scores, type Tensor } from './index.ts';

vi.setConfig({ testTimeout: 60_000 });

const attentions = [scores.dot(), scores.gaussian(), scores.laplace()].flatMap((score) =>
  [masks.causal(), masks.window({ left: 2, right: 1 }), masks.randomBlocks({ block: 2, draws: 2 })].flatMap(
    (mask) =>
      [normalizers.softmax(), normalizers.sigmoid(), normalizers.entmax15()].map((normalizer) => ({
        ...{ score, mask, normalizer, dropout: 0.4 },
        modifiers: [masks.alibi({ slope: 'interleaved' }), masks.softcap({ cap: 3 })],
      })),
  ),
);

const onCpu = cpu({ threads: 1 });
/** A device in software compiles each of them for seconds: two show that draws are the same there. */
const onWebgpu = webgpu({ ...swiftshader(), poison: true });
const trials = [
  ...attentions.map((of) => [attention(of).label, onCpu, of] as const),
  ...[attentions[0], attentions[13]].map((of) => [attention(of!).label, onWebgpu, of!] as const),
].map(([label, backend, of]) => [`${label}, on ${backend.name}`, backend, of] as const);

it.each(trials)('%s', async (_, tried, of) => {
  const [on, exact] = (await Promise.all(
    [tried, reference()].map(async (backend) => {
      const device = await openDevice(backend);
      const rows = (seed: number, heads: number): Tensor =>
        parameter(ops.normal(device, [2, heads, 5, 3], { seed }));
      // Four heads of queries to two of keys.
      const [q, k, v] = [rows(1, 4), rows(2, 2), rows(3, 2)];
      const { context, weights } = attention(of)(q, k, v, { train: true, seed: 7, weights: true });
      ops.sum(ops.square(context)).backward();
      const read = async (one: Tensor): Promise<number[]> => Array.from(await one.read());
      const all = {
        weights: await read(weights),
        context: await read(context),
        gradients: (await Promise.all([q, k, v].map((one) => read(one.gradient as Tensor)))).flat(),
      };
      await device.close();
      return all;
    }),
  )) as [Numbers, Numbers];
  expect(on.weights.map((one) => one === 0)).toEqual(exact.weights.map((one) => one === 0));
  expect(on.weights.some((one) => one !== 0)).toBe(true);
  for (const name of ['weights', 'context', 'gradients'] as const) {
    const largest = Math.max(...exact[name].map(Math.abs));
    // Sums of at most 2 heads of 5 queries, and an exp that is off by a few units.
    for (const [i, one] of exact[name].entries())
      expect(Math.abs((on[name][i] as number) - one)).toBeLessThan(2 ** -16 * largest);
  }
});

type Numbers = Readonly<Record<'weights' | 'context' | 'gradients', number[]>>;
