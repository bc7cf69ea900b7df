// The laws of every part by name, forward and gradient, where people compute by default. The reference has those of each package.

import { cpu } from '@heed/cpu';
import { maskLaws, modifierLaws, normalizerLaws, reweightLaws, scoreLaws } from '@heed/testing';
import { describe, expect, it, vi } from 'vitest';
import { defaultRegistry } from './index.ts';
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
for (const reweight of Object.values(reweightSamples)) reweightLaws(reweight, runner, options);
/** The laws that a normalizer need not keep, and why. */
const skips: Readonly<Record<string, readonly { readonly law: string; readonly reason: string }[]>> = {
  identity: [{ law: 'weights are not negative', reason: 'weights are the scores, negative ones included' }],
};
for (const [name, normalizer] of Object.entries(normalizerSamples))
  normalizerLaws(normalizer, runner, { ...options, skip: skips[name] ?? [] });
