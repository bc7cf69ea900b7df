// Every part by name in as few attentions as there are scores, for devices on which each attention costs seconds to compile.

import type { AttentionOptions } from '@heed/attention';
import {
  maskSamples,
  modifierSamples,
  normalizerSamples,
  reweightSamples,
  scoreSamples,
} from './samples.fixture.ts';

interface Row {
  readonly masks: readonly string[];
  readonly modifiers?: readonly string[];
  readonly normalizer: string;
  readonly reweight?: readonly string[];
}

/** By the name of the score. What reads tensors of its own meets what reads few: a shader has so many buffers. */
const rows: Readonly<Record<string, Row>> = {
  additive: { masks: ['causal'], modifiers: ['softcap'], normalizer: 'softmax' },
  combination: { masks: ['dilated'], modifiers: ['temperature'], normalizer: 'sigmoid' },
  concat: { masks: ['window'], modifiers: ['alibi'], normalizer: 'softmax' },
  cosine: { masks: ['padding'], modifiers: ['learned-scale'], normalizer: 'softmax' },
  coverage: { masks: ['strided'], normalizer: 'relu' },
  dot: { masks: ['full', 'neighborhood'], normalizer: 'adaptive-entmax' },
  gaussian: { masks: ['document'], modifiers: ['bias'], normalizer: 'entmax-1.5' },
  general: { masks: ['allowed', 'query-padding'], modifiers: ['gumbel'], normalizer: 'hard' },
  'l2-distance': { masks: ['bias-allows'], modifiers: ['relative-table'], normalizer: 'sparsemax' },
  laplace: { masks: ['random-blocks'], modifiers: ['relative-buckets'], normalizer: 'sigmoid' },
  linear: { masks: ['block-local'], modifiers: ['gaussian-window'], normalizer: 'entmax' },
  'location-base': { masks: ['prefix'], modifiers: ['relative-keys'], normalizer: 'softmax' },
  'location-sensitive': { masks: ['fixed-sparse'], normalizer: 'relu' },
  mlp: { masks: ['global-prefix'], normalizer: 'identity' },
  'scaled-dot': {
    masks: ['local'],
    modifiers: ['relative-grid'],
    normalizer: 'softmax',
    reweight: ['local-gaussian'],
  },
  trilinear: { masks: ['global-window'], normalizer: 'relu' },
};

export interface Covering {
  readonly score: string;
  /** The names of all its parts: `mask causal`. */
  readonly names: readonly string[];
  readonly options: AttentionOptions;
}

const among = <P>(samples: Readonly<Record<string, P>>, names: readonly string[]): P[] =>
  names.map((name) => samples[name] as P);

export const coverings: readonly Covering[] = Object.entries(rows).map(
  ([score, { masks, modifiers = [], normalizer, reweight = [] }]) => ({
    score,
    names: [
      `score ${score}`,
      ...masks.map((name) => `mask ${name}`),
      ...modifiers.map((name) => `modifier ${name}`),
      `normalizer ${normalizer}`,
      ...reweight.map((name) => `reweight ${name}`),
    ],
    options: {
      score: scoreSamples[score] as AttentionOptions['score'],
      mask: among(maskSamples, masks),
      modifiers: among(modifierSamples, modifiers),
      normalizer: normalizerSamples[normalizer] as AttentionOptions['normalizer'],
      reweight: among(reweightSamples, reweight),
    },
  }),
);
