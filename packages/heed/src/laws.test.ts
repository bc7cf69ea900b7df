// The laws of every part by name, forward and gradient, where people compute by default. The reference has those of each package.

import { cpu } from '@heed/cpu';
import { reference } from '@heed/reference';
import { normal } from '@heed/tensor';
import { maskLaws, modifierLaws, normalizerLaws, scoreLaws } from '@heed/testing';
import { describe, expect, it, vi } from 'vitest';
import {
  attention,
  defaultRegistry,
  normalizers,
  openDevice,
  ops,
  parameter,
  scores,
  type Tensor,
} from './index.ts';
import {
  maskSamples,
  modifierSamples,
  normalizerSamples,
  reweightSamples,
  sampleSizes,
  scoreSamples,
} from './samples.fixture.ts';

// Many kernels each, on machines that may be busy.
vi.setConfig({ testTimeout: 120_000 });

const options = { ...sampleSizes, backend: cpu({ threads: 1 }), runs: 2 };
const runner = { describe, it };

it('has a sample of every name', () => {
  const samples = {
    score: scoreSamples,
    mask: maskSamples,
    normalizer: normalizerSamples,
    modifier: modifierSamples,
    reweight: reweightSamples,
  };
  const sampled = Object.entries(samples).flatMap(([kind, of]) =>
    Object.entries(of).map(([name, part]) => [`${kind} ${name}`, `${part.kind} ${part.part}`]),
  );
  for (const [said, is] of sampled) expect(said).toBe(is);
  expect(sampled.map(([name]) => name).sort()).toEqual(
    defaultRegistry.parts.map(({ kind, name }) => `${kind} ${name}`).sort(),
  );
});

for (const score of Object.values(scoreSamples)) scoreLaws(score, runner, options);
for (const mask of Object.values(maskSamples)) maskLaws(mask, runner, options);
for (const modifier of Object.values(modifierSamples)) modifierLaws(modifier, runner, options);
/** The laws that a normalizer need not keep, and why. */
const skips: Readonly<Record<string, readonly { readonly law: string; readonly reason: string }[]>> = {
  identity: [{ law: 'weights are not negative', reason: 'weights are the scores, negative ones included' }],
  'adaptive-entmax': [
    {
      law: 'gradients on the device are those of the reference',
      reason:
        'with one key its weight is one for any alpha: terms cancel to nothing, and an error relative to nothing is not allowed for',
    },
  ],
};
for (const [name, normalizer] of Object.entries(normalizerSamples))
  normalizerLaws(normalizer, runner, { ...options, skip: skips[name] ?? [] });

it('the gradient of an alpha that is learned is that of the reference, where it is no difference of equals', async () => {
  const gradients = await Promise.all(
    [cpu({ threads: 1 }), reference()].map(async (backend) => {
      const device = await openDevice(backend);
      const [q, k, v] = [1, 2, 3].map((seed) => parameter(normal(device, [2, 4, 5, 3], { seed }))) as [
        Tensor,
        Tensor,
        Tensor,
      ];
      const alphas = parameter(normal(device, [4], { seed: 4 }));
      const attend = attention({ score: scores.dot(), normalizer: normalizers.adaptiveEntmax() });
      ops.sum(ops.square(attend(q, k, v, { params: { alphas } }))).backward();
      const read = await Promise.all(
        [q, k, v, alphas].map(async (one) => Array.from((await one.gradient?.read()) ?? [])),
      );
      await device.close();
      return read.flat();
    }),
  );
  const [on, exact] = gradients as [number[], number[]];
  expect(on).toHaveLength(3 * 120 + 4);
  const largest = Math.max(...exact.map(Math.abs));
  // Sums of up to 120 roundings, of the size of the largest term.
  for (const [i, one] of exact.entries())
    expect(Math.abs((on[i] as number) - one)).toBeLessThan(120 * 2 ** -22 * largest);
});
