// For tests: an attention with each part that heed comes with, in each of its forms.

import type { AttentionOptions } from '@heed/attention';
import * as masks from '@heed/masks';
import * as normalizers from '@heed/normalizers';
import * as scores from '@heed/scores';

const { dot, scaledDot } = scores;
const { softmax } = normalizers;

const plain = { score: scaledDot(), normalizer: softmax() };

const masked = [
  masks.allowed(),
  masks.biasAllows(),
  masks.blockLocal({ block: 3, align: 'start' }),
  masks.causal({ align: 'start' }),
  masks.causal({ align: 'end' }),
  masks.causal({ align: 'lengths' }),
  masks.dilated({ stride: 3, align: 'end' }),
  masks.document(),
  masks.fixedSparse({ stride: 3, summary: 1, align: 'start' }),
  masks.full(),
  masks.globalPrefix({ positions: 1, align: 'start' }),
  masks.globalWindow({ window: 1, global: [0, 3], align: 'start' }),
  masks.local({ window: 1.5 }),
  masks.neighborhood({ height: 2, width: 3, size: 3 }),
  masks.padding(),
  masks.prefix({ align: 'end' }),
  masks.queryPadding(),
  masks.randomBlocks({ block: 2, draws: 2, align: 'start' }),
  masks.strided({ stride: 2, align: 'end' }),
  masks.window({ left: 20, right: 1, align: 'end' }),
  masks.allOf(masks.document(), masks.causal({ align: 'start' })),
  masks.anyOf(masks.window({ left: 1, right: 0, align: 'end' }), masks.padding()),
  masks.except(masks.causal({ align: 'start' })),
];

const modified = [
  masks.alibi({ slope: 'given', align: 'end' }),
  masks.alibi({ slope: 'given', distance: 'absolute', align: 'start' }),
  masks.bias(),
  masks.gaussianWindow({ align: 'end', sigma: 2 }),
  normalizers.gumbel({ gumbelSeed: 3 }),
  masks.learnedScale(),
  masks.learnedScale({ per: 'head' }),
  masks.relativeBuckets({ buckets: 8, maxDistance: 5, align: 'start' }),
  masks.relativeGrid({ height: 2, width: 3 }),
  masks.relativeKeys({ distances: 33, align: 'start' }),
  masks.relativeTable({ max: 2, align: 'start' }),
  masks.softcap({ cap: 2 }),
  masks.temperature(),
];

const normalized = [
  normalizers.adaptiveEntmax(),
  normalizers.entmax({ alpha: 1.25 }),
  normalizers.entmax15(),
  normalizers.hard(),
  normalizers.identity(),
  normalizers.relu({ divisor: 4 }),
  normalizers.sigmoid({ shift: -1 }),
  softmax(),
  softmax({ sink: 'zero' }),
  softmax({ sink: 'learned' }),
  normalizers.sparsemax(),
];

const scored = [
  scores.additive({ hidden: 16 }),
  scores.additive({ hidden: 5, bias: true, normalized: true }),
  scores.combination({ terms: ['q', 'k', 'q*k', 'q-k'], bias: true }),
  scores.concat({ hidden: 8 }),
  scores.cosine(),
  scores.coverage({ hidden: 3 }),
  dot(),
  scores.gaussian(),
  scores.general({ bias: true }),
  scores.general({ bias: true, keyBias: true, activation: 'tanh' }),
  scores.l2Distance(),
  scores.laplace(),
  scores.linear({ bias: true }),
  scores.locationBase({ positions: 512 }),
  scores.locationSensitive({ hidden: 3, channels: 2 }),
  scores.mlp({ hidden: 3, layers: 2 }),
  scaledDot(),
  scores.trilinear({ bias: true }),
];

/** Attentions of every score: what feature sizes matter to. */
export const byScore: readonly AttentionOptions[] = [
  ...scored.map((score) => ({ ...plain, score })),
  { ...plain, mask: masks.causal({ align: 'end' }) },
  { score: dot(), normalizer: normalizers.sparsemax() },
];

/** Attentions of every other part. */
export const byPart: readonly AttentionOptions[] = [
  ...masked.map((mask) => ({ ...plain, mask })),
  ...modified.map((modifier) => ({ ...plain, modifiers: [modifier] })),
  ...normalized.map((normalizer) => ({ ...plain, normalizer, mask: masks.causal({ align: 'end' }) })),
  ...[{}, { window: 3 }].map((options) => ({ ...plain, reweight: [masks.localGaussian(options)] })),
  { ...plain, dropout: 0.4 },
];

/** What `allOf` and its like are called: they make masks of masks. */
const combined = new Set(['allOf', 'anyOf', 'except']);

/** The names of all parts above. */
export const used: ReadonlySet<string> = new Set(
  [...masked, ...modified, ...normalized, ...scored, masks.localGaussian()].flatMap(({ kind, part }) =>
    combined.has(part) ? [] : [`${kind} ${part}`],
  ),
);

/** The names of all parts that there are. */
export const exported: ReadonlySet<string> = new Set(
  [scores, masks, normalizers].flatMap((module) =>
    Object.values(module).flatMap((one) =>
      typeof one === 'function' && 'partName' in one ? [`${one.kind} ${one.partName}`] : [],
    ),
  ),
);

/** Parts that say how long sequences are: by the places of an image. */
const images = new Set(['neighborhood', 'relative-grid']);

export const isImage = ({ mask = [], modifiers = [] }: AttentionOptions): boolean =>
  [mask, modifiers].flat().some(({ part }) => images.has(part));
/** The places of the images above. */
export const IMAGE = 6;
