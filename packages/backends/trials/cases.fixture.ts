// For tests: attentions that between them need every way in which gradients are summed.

import {
  type AttentionOptions,
  defineMask,
  defineModifier,
  defineNormalizer,
  defineReweight,
  defineScore,
} from '@heed/attention';
import * as e from '@heed/expr';
import { alibi, bias, causal, learnedScale, padding, relativeTable, window } from '@heed/masks';
import { entmax15, hard, sigmoid, softmax, sparsemax } from '@heed/normalizers';
import { additive, cosine, dot, gaussian, general, laplace, scaledDot } from '@heed/scores';
import type { Case, Choice } from './gradient.fixture.ts';

const { scalar, add, mul, sub } = e;

/** A score that reads matrices, tables of vectors and biases that lie along other axes than rows. */
export const wild = defineScore({
  name: 'wild',
  inputs: {
    w: { type: e.mat('feature', 'feature'), along: ['head'] },
    distances: { type: e.table(2, e.vec('feature')), along: [] },
    pairs: { type: scalar, along: ['query', 'key'] },
    perHead: { type: scalar, along: ['keyHead', 'query', 'key'] },
    perKey: { type: scalar, along: ['head', 'key'] },
    perQuery: { type: e.vec('feature'), along: ['query'] },
    one: { type: scalar, along: [] },
  },
  score: ({ q, k, inputs, query, key, keyHead }) => {
    const distance = e.at(inputs.distances, keyHead, sub(key, query));
    const mixed = e.tanh(add(e.matvec(inputs.w, q), mul(k, inputs.perQuery)));
    const product = e.dot(mixed, add(k, distance));
    return add(
      add(mul(product, inputs.one), add(inputs.pairs, inputs.perKey)),
      mul(inputs.perHead, inputs.perHead),
    );
  },
});

const sharp = defineNormalizer({
  name: 'sharp',
  params: { sharpness: { type: scalar, along: ['head'] }, sunk: { type: scalar, along: ['head', 'query'] } },
  weight: ({ score, level, params }) => e.maximum(mul(e.exp(params.sharpness), sub(score, level)), 0),
  level: {
    low: ({ maximum, params }) => sub(maximum, e.exp(e.neg(params.sharpness))),
    high: ({ maximum }) => maximum,
  },
  sink: ({ params }) => params.sunk,
});

const gentle = defineNormalizer({
  name: 'gentle',
  params: { shift: { type: scalar, along: ['head', 'key'] } },
  weight: ({ score, params: { shift } }) => e.sigmoid(add(score, shift)),
  level: 'none',
});

const bell = defineReweight({
  name: 'bell',
  inputs: {
    centre: { type: scalar, along: ['batch', 'head', 'query'] },
    loud: { type: scalar, along: ['key'] },
  },
  factor: ({ key, inputs: { centre, loud } }) =>
    mul(loud, e.exp(e.neg(e.square(mul(0.2, sub(key, centre)))))),
});

const looks = defineReweight({
  name: 'looks',
  factor: ({ q, key }) => e.sigmoid(add(e.sum(q), mul(0.1, e.toFloat(key)))),
});

export const odd = defineMask({
  name: 'odd',
  allowed: ({ query, key }) => e.and(e.ne(query, 2), e.ne(e.mod(add(query, key), 3), 0)),
});

const sparse = defineMask({
  name: 'sparse',
  allowed: ({ query, key, keyLength }) => e.and(e.ne(query, 1), e.ne(key, sub(keyLength, 1))),
});

const tilted = defineModifier({
  name: 'tilted',
  params: { tilt: { type: e.table(1), along: ['keyHead'] } },
  modify: ({ score, query, key, params }) =>
    add(score, add(e.at(params.tilt, sub(key, query)), e.at(params.tilt, 1))),
});

const all: Readonly<Record<string, AttentionOptions | Case>> = {
  'scaled dot, softmax': { score: scaledDot(), normalizer: softmax() },
  'scaled dot, causal, softmax': {
    score: scaledDot(),
    mask: causal({ align: 'start' }),
    normalizer: softmax(),
  },
  'dot, odd pairs, learned sink': { score: dot(), mask: odd(), normalizer: softmax({ sink: 'learned' }) },
  'general, padding, softmax': { score: general(), mask: padding(), normalizer: softmax() },
  'additive, causal, softmax': { score: additive(), mask: causal({ align: 'end' }), normalizer: softmax() },
  'additive, sigmoid': { score: additive(), normalizer: sigmoid() },
  'laplace, window, sparsemax': {
    score: laplace(),
    mask: window({ left: 3, right: 1, align: 'start' }),
    normalizer: sparsemax(),
  },
  'gaussian, entmax': { score: gaussian(), normalizer: entmax15() },
  'cosine, softmax': { score: cosine(), modifiers: [learnedScale()], normalizer: softmax() },
  'dot, hard': { score: dot(), mask: odd(), normalizer: hard() },
  'dot, bias, alibi': { score: scaledDot(), modifiers: [bias(), alibi()], normalizer: softmax() },
  'dot, table, reweight': {
    score: scaledDot(),
    modifiers: [relativeTable({ max: 2, align: 'start' }), tilted()],
    normalizer: softmax(),
    reweight: [bell()],
  },
  wild: {
    options: { score: wild(), mask: odd(), normalizer: softmax({ sink: 'zero' }) },
    tables: { distances: [2, 4] },
  },
  'sharp with a sink': {
    options: { score: scaledDot(), normalizer: sharp(), reweight: [looks()] },
    // Rows computed ahead: exp(sharpness), and the same of its opposite.
    edit: (inputs) => {
      inputs.shared$0 = (inputs.shared$0 as Float64Array<ArrayBuffer>).map((one) =>
        Math.fround(Math.exp(one)),
      );
      inputs.shared$1 = inputs.shared$0.map((one) => 1 / one);
    },
  },
  'gentle, window': { score: dot(), mask: odd(), normalizer: gentle(), reweight: [bell()] },
};

export const cases: Readonly<Record<string, Case>> = Object.fromEntries(
  Object.entries(all).map(([name, one]) => [name, 'options' in one ? one : { options: one }]),
);

/** The case where nobody reads the last key, which there is one more of, nor the second query; both are NaN. */
export function unread({ options, ...rest }: Case, choice: Choice): [Case, Choice] {
  const lengths = { ...choice.lengths, key: choice.lengths.key + 1 };
  const [key, query] = [
    ['key', lengths.key - 1],
    ['query', 1],
  ] as const;
  return [
    { ...rest, options: { ...options, mask: [sparse(), ...[options.mask ?? []].flat()] } },
    { ...choice, lengths, spoil: { k: key, value: key, perKey: key, key$0: key, query$0: query, q: query } },
  ];
}
