// Every score with every mask and every normalizer.

import type { AttentionOptions } from '@heed/attention';
import { maskSamples, normalizerSamples, scoreSamples } from './samples.fixture.ts';

/** The attentions of one score, by name: `additive | causal | softmax`. */
export function pairingsOf(score: string): Readonly<Record<string, AttentionOptions>> {
  const pairs = Object.entries(maskSamples).flatMap(([mask, m]) =>
    Object.entries(normalizerSamples).map(([normalizer, n]) => [
      `${score} | ${mask} | ${normalizer}`,
      { score: scoreSamples[score] as AttentionOptions['score'], mask: m, normalizer: n },
    ]),
  );
  return Object.fromEntries(pairs);
}
