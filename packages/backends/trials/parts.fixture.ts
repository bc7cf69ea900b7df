// For tests: every part that an attention can be composed of.

import type { AttentionOptions } from '@heed/attention';
import {
  alibi,
  allOf,
  allowed,
  anyOf,
  bias,
  blockLocal,
  causal,
  dilated,
  document,
  except,
  padding,
  prefix,
  queryPadding,
  relativeTable,
  softcap,
  strided,
  temperature,
  window,
} from '@heed/masks';
import { entmax, entmax15, hard, identity, relu, sigmoid, softmax, sparsemax } from '@heed/normalizers';
import {
  additive,
  concat,
  cosine,
  dot,
  gaussian,
  general,
  laplace,
  linear,
  scaledDot,
  trilinear,
} from '@heed/scores';
import type { Lengths, ProgramOptions } from './scene.fixture.ts';

export const scores: Readonly<Record<string, AttentionOptions['score']>> = {
  dot: dot(),
  scaledDot: scaledDot(),
  general: general(),
  cosine: cosine(),
  additive: additive({ hidden: 7 }),
  concat: concat({ hidden: 8 }),
  gaussian: gaussian(),
  laplace: laplace(),
  linear: linear(),
  trilinear: trilinear(),
};
export const masks: Readonly<Record<string, NonNullable<AttentionOptions['mask']>>> = {
  causal: causal({ align: 'start' }),
  'causal, at the end': causal({ align: 'end' }),
  window: window({ left: 5, right: 2, align: 'start' }),
  prefix: prefix({ align: 'start' }),
  padding: padding(),
  'query padding': queryPadding(),
  document: document(),
  dilated: dilated({ stride: 3, align: 'start' }),
  strided: strided({ stride: 4, align: 'start' }),
  'blocks of keys': blockLocal({ block: 5, align: 'start' }),
  allowed: allowed(),
  'not causal': except(causal({ align: 'start' })),
  'all of': allOf(causal({ align: 'lengths' }), padding()),
  'any of': anyOf(window({ left: 1, right: 1, align: 'start' }), padding()),
  'not a window': except(window({ left: 9, right: 9, align: 'end' })),
};
export const normalizers: Readonly<Record<string, NonNullable<AttentionOptions['normalizer']>>> = {
  softmax: softmax(),
  'softmax with a sink': softmax({ sink: 'learned' }),
  sparsemax: sparsemax(),
  entmax15: entmax15(),
  entmax: entmax({ alpha: 1.3 }),
  hard: hard(),
  sigmoid: sigmoid(),
  relu: relu(),
  identity: identity(),
};
export const modifiers: Readonly<Record<string, NonNullable<AttentionOptions['modifiers']>[number]>> = {
  alibi: alibi({ align: 'start' }),
  softcap: softcap(),
  temperature: temperature(),
  bias: bias(),
  relativeTable: relativeTable({ max: 4, align: 'start' }),
};
export const levelless = new Set(['sigmoid', 'relu', 'identity']);
export const lengths: Lengths = { batch: 2, head: 4, keyHead: 2, query: 13, key: 22 };
export const everything = (name = 'softmax'): ProgramOptions => ({
  keep: { level: !levelless.has(name), weights: true },
});
