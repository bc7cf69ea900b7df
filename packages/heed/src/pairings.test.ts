// Every score with every mask and every normalizer, and random ones of them with everything else, against the definition.

import type { AttentionOptions } from '@heed/attention';
import { cpu } from '@heed/cpu';
import { checkAttention } from '@heed/testing';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { pairingsOf } from './pairings.fixture.ts';
import {
  maskSamples,
  modifierSamples,
  normalizerSamples,
  reweightSamples,
  sampleSizes,
  scoreSamples,
} from './samples.fixture.ts';

// Thousands of kernels, on machines that may be busy.
vi.setConfig({ testTimeout: 240_000 });

const backend = cpu({ threads: 1 });

describe('every score with every mask and every normalizer', () => {
  it.each(Object.keys(scoreSamples))('%s', async (score) => {
    const attentions = Object.values(pairingsOf(score));
    expect(attentions).toHaveLength(Object.keys(maskSamples).length * Object.keys(normalizerSamples).length);
    for (const [at, one] of attentions.entries())
      await checkAttention(one, { ...sampleSizes, backend, runs: 1, seed: at + 1 });
  });
});

it('random attentions with several masks, modifiers and a reweight, forward and gradient', async () => {
  const among = <P>(samples: Readonly<Record<string, P>>) => fc.constantFrom(...Object.values(samples));
  const some = <P>(samples: Readonly<Record<string, P>>) =>
    fc.subarray(Object.values(samples), { maxLength: Math.min(2, Object.keys(samples).length) });
  const attentions = fc.record({
    options: fc.record({
      score: among(scoreSamples),
      mask: some(maskSamples),
      modifiers: some(modifierSamples),
      normalizer: among(normalizerSamples),
      reweight: some(reweightSamples),
    }),
    seed: fc.integer({ min: 1, max: 1e6 }),
  });
  await fc.assert(
    fc.asyncProperty(attentions, async ({ options, seed }) => {
      await checkAttention(options as AttentionOptions, {
        ...sampleSizes,
        backend,
        runs: 1,
        seed,
        gradients: true,
      });
    }),
    { numRuns: 40, seed: 1 },
  );
});
