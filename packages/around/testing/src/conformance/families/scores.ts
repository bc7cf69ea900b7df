// Families about scoring functions: score, additive, luong.

import type { Score } from '@heed/attention';
import { learnedScale, padding } from '@heed/masks';
import { softmax } from '@heed/normalizers';
import {
  additive as additiveScore,
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
import { concat as join, matmul, pad, type Tensor, tanh } from '@heed/tensor';
import type { Family, Work } from '../family.ts';
import { Composition } from './pieces.ts';

const names = [
  'dot',
  'scaled_dot',
  'general',
  'concat',
  'additive',
  'cosine',
  'bilinear_bias',
  'trilinear',
  'linear',
  'neg_half_sqdist',
  'neg_l1',
] as const;

/** A score by its name in the data, with its tensors where heed wants them. */
export function scoreOf({ attributes, inputs }: Work, to: Composition): Score {
  const take = (name: string, from: string, change: (of: Tensor) => Tensor = (of) => of): void => {
    to.params[name] = change(inputs.tensor(from));
  };
  // Kernels here are [in, out], as in `x W`; heed's are [out, in], as in `W x`.
  const transposed = (of: Tensor): Tensor => of.transpose();
  const single = (of: Tensor): Tensor => of.reshape([]);
  switch (attributes.choice('score', names)) {
    case 'dot':
      return dot();
    case 'scaled_dot': {
      const scale = attributes.number('scale');
      return scaledDot(scale === undefined ? {} : { scale });
    }
    case 'general':
      take('w', 'W');
      return general();
    case 'bilinear_bias':
      take('w', 'W');
      take('b', 'bias', single);
      return general({ bias: true });
    case 'concat':
      take('w', 'W', transposed);
      take('v', 'v');
      return concat({ hidden: inputs.shape('v')[0] as number });
    case 'additive': {
      const bias = attributes.flag('bias', inputs.has('b'));
      const normalized = attributes.flag('normalize_v');
      take('w', 'W_q', transposed);
      take('u', 'W_k', transposed);
      take('v', 'v');
      if (bias) take('b', 'b');
      if (normalized) take('g', 'g', single);
      return additiveScore({ hidden: inputs.shape('v')[0] as number, bias, normalized });
    }
    case 'cosine':
      return cosine();
    case 'trilinear':
      take('wq', 'w_q');
      take('wk', 'w_k');
      take('wqk', 'w_qk');
      return trilinear();
    case 'linear':
      take('wq', 'w_q');
      take('wk', 'w_k');
      if (!inputs.has('bias')) return linear();
      take('b', 'bias', single);
      return linear({ bias: true });
    case 'neg_half_sqdist':
      return gaussian();
    case 'neg_l1':
      return laplace();
  }
}

/** Raw scores, or their softmax; a query without a length is one query for each batch entry. */
export const score: Family = (work) => {
  const { attributes, inputs } = work;
  const to = new Composition();
  const { attend, call } = to.attend({ score: scoreOf(work, to), normalizer: softmax() });
  let query = inputs.tensor('query');
  let key = inputs.tensor('key');
  const single = query.rank === key.rank - 1;
  if (single) query = query.unsqueeze(-2);
  if (attributes.flag('append_one_to_inputs')) [query, key] = [withOne(query), withOne(key)];
  const given = (result: Tensor): Tensor => (single ? result.squeeze(-2) : result);
  if (attributes.oneOf('output', ['softmax'])) {
    return { weights: given(attend(query, key, key, { ...call, weights: true }).weights) };
  }
  return { scores: given(attend.scores(query, key, call)) };
};

/** A 1 appended to every row. */
const withOne = (rows: Tensor): Tensor =>
  pad(
    rows,
    rows.shape.map((_, i) => [0, i === rows.rank - 1 ? 1 : 0] as const),
    1,
  );

/** Bahdanau's and Luong's attentions: scores, weights, context, and Luong's attentional vector. */
export const classic: Family = (work) => {
  const { attributes, inputs, wants } = work;
  const to = new Composition();
  const of = scoreOf(work, to);
  if (attributes.flag('learned_scale')) {
    to.modifiers.push(learnedScale());
    to.params.scale = inputs.tensor('g').reshape([]);
  }
  allowGiven(work, to);
  const { attend, call } = to.attend({ score: of, normalizer: softmax() });
  const query = inputs.tensor('query');
  const key = inputs.tensor('key');
  const values = attributes.oneOf('values', ['key', 'value']) ?? (inputs.has('value') ? 'value' : 'key');
  const { context, weights } = attend(query, key, inputs.tensor(values), { ...call, weights: true });
  const attentional = attributes.flag('attentional_vector')
    ? { attentional: tanh(matmul(join([context, query], { axis: -1 }), inputs.tensor('W_c'))) }
    : {};
  return {
    context,
    weights,
    ...attentional,
    ...(wants('scores') ? { scores: attend.scores(query, key, call) } : {}),
  };
};

/** `mask` is [batch, key] or [batch, query, key]; true takes part. */
export function allowGiven({ attributes, inputs }: Work, to: Composition): void {
  attributes.oneOf('mask', ['bool-true-attend']);
  const mask = inputs.maybe('mask');
  if (!mask) return;
  to.allow(mask.rank === 2 ? mask.unsqueeze(1).unsqueeze(1) : mask.rank === 3 ? mask.unsqueeze(1) : mask);
}

/** Keys are [source, batch, dim]; one query for each batch entry. */
export const batchSecond: Family = (work) => {
  const { attributes, inputs } = work;
  attributes.note('key_layout');
  const to = new Composition();
  const of = scoreOf(work, to);
  if (inputs.has('lengths')) {
    to.masks.push(padding());
    to.inputs.lengths = inputs.tensor('lengths');
  }
  const { attend, call } = to.attend({ score: of, normalizer: softmax() });
  const key = inputs.tensor('key').permute([1, 0, 2]);
  return { context: attend(inputs.tensor('query').unsqueeze(1), key, key, call).squeeze(1) };
};
