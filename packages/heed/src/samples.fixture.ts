// A sample of every part that heed comes with, by its name: what all backends are tried with.

import type { Mask, Modifier, Normalizer, Reweight, Score } from '@heed/attention';
import type { LawOptions } from '@heed/testing';
import { masks, normalizers, scores } from './index.ts';

/** Trials have up to six keys. */
const positions = 6;
const start = { align: 'start' } as const;

export const scoreSamples: Readonly<Record<string, Score>> = {
  additive: scores.additive({ hidden: 3, bias: true, normalized: true }),
  combination: scores.combination({ terms: ['q', 'k', 'q*k', 'q-k'], bias: true }),
  concat: scores.concat({ hidden: 3 }),
  cosine: scores.cosine({ strength: 'given' }),
  coverage: scores.coverage({ hidden: 3 }),
  dot: scores.dot(),
  gaussian: scores.gaussian(),
  general: scores.general({ bias: true, keyBias: true, activation: 'tanh' }),
  'l2-distance': scores.l2Distance(),
  laplace: scores.laplace(),
  linear: scores.linear({ bias: true }),
  'location-base': scores.locationBase(),
  'location-sensitive': scores.locationSensitive({ hidden: 3, channels: 2 }),
  mlp: scores.mlp({ hidden: 3, layers: 2 }),
  'scaled-dot': scores.scaledDot(),
  trilinear: scores.trilinear({ bias: true }),
};

export const maskSamples: Readonly<Record<string, Mask>> = {
  allowed: masks.allowed(),
  'bias-allows': masks.biasAllows(),
  'block-local': masks.blockLocal({ block: 2, neighbours: 1, ...start }),
  causal: masks.causal({ align: 'end' }),
  dilated: masks.dilated({ stride: 2, ...start }),
  document: masks.document(),
  'fixed-sparse': masks.fixedSparse({ stride: 3, summary: 1, ...start }),
  full: masks.full(),
  'global-prefix': masks.globalPrefix({ positions: 1, ...start }),
  'global-window': masks.globalWindow({ window: 1, global: [2], ...start }),
  local: masks.local({ window: 1.5 }),
  neighborhood: masks.neighborhood({ height: 2, width: 3, size: 3, edges: 'cut' }),
  padding: masks.padding(),
  prefix: masks.prefix({ align: 'end' }),
  'query-padding': masks.queryPadding(),
  'random-blocks': masks.randomBlocks({ block: 2, draws: 2, ...start }),
  strided: masks.strided({ stride: 2, ...start }),
  window: masks.window({ left: 2, right: 1, align: 'end' }),
};

export const normalizerSamples: Readonly<Record<string, Normalizer>> = {
  'adaptive-entmax': normalizers.adaptiveEntmax(),
  entmax: normalizers.entmax({ alpha: 1.25 }),
  'entmax-1.5': normalizers.entmax15(),
  hard: normalizers.hard(),
  identity: normalizers.identity(),
  relu: normalizers.relu({ divisor: 4 }),
  sigmoid: normalizers.sigmoid({ bias: 'learned', shift: -1 }),
  softmax: normalizers.softmax({ sink: 'learned' }),
  sparsemax: normalizers.sparsemax(),
};

export const modifierSamples: Readonly<Record<string, Modifier>> = {
  alibi: masks.alibi({ slope: 'interleaved', ...start }),
  bias: masks.bias(),
  'gaussian-window': masks.gaussianWindow({ align: 'end', sigma: 2 }),
  gumbel: normalizers.gumbel({ gumbelSeed: 3 }),
  'learned-scale': masks.learnedScale({ per: 'head' }),
  'relative-buckets': masks.relativeBuckets({ buckets: 8, maxDistance: 5, ...start }),
  'relative-grid': masks.relativeGrid({ height: 2, width: 3 }),
  'relative-keys': masks.relativeKeys({ ...start }),
  'relative-table': masks.relativeTable({ max: 2, ...start }),
  softcap: masks.softcap({ cap: 2 }),
  temperature: masks.temperature({ temperature: 1.5 }),
};

export const reweightSamples: Readonly<Record<string, Reweight>> = {
  'local-gaussian': masks.localGaussian({ sigma: 2, window: 2.5 }),
};

/** The sizes that the samples need. */
export const sampleSizes: LawOptions = { sizes: { positions, distances: 5 } };
