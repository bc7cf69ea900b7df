// The ONNX operator Attention, opsets 23 to 25, and the preview operator FlexAttention.

import { attention, defineNormalizer, defineReweight, type Modifier, type Normalizer } from '@heed/attention';
import { causal, padding, softcap, window } from '@heed/masks';
import { softmax } from '@heed/normalizers';
import { scaledDot } from '@heed/scores';
import { concat, gt, pad, type Tensor, where } from '@heed/tensor';
import type { Attributes } from '../attributes.ts';
import type { Family, Work } from '../family.ts';
import { modify } from './dot-product.ts';
import { Composition } from './pieces.ts';

/** Every key that takes part weighs one: asks a composition which pairs it allows. */
const one = defineNormalizer({ name: 'one', weight: () => 1, level: 'none' });

export const onnxAttention: Family = (work) => {
  const { attributes, inputs, wants } = work;
  // The precision inside the softmax is the backend's: never less than float32.
  attributes.note('op', 'opset', 'softmax_precision');
  const packed = inputs.shape('Q').length === 3;
  const keyHeads = attributes.number('kv_num_heads', 1);
  const q = heads(inputs.tensor('Q'), attributes.number('q_num_heads', 1));
  const past = inputs.has('past_key') ? (inputs.shape('past_key').at(-2) as number) : 0;
  const joined = (name: 'K' | 'V', before: 'past_key' | 'past_value'): Tensor => {
    const rows = heads(inputs.tensor(name), keyHeads);
    return inputs.has(before) ? concat([inputs.tensor(before), rows], { axis: -2 }) : rows;
  };
  const k = joined('K', 'past_key');
  const v = joined('V', 'past_value');

  const scale = attributes.number('scale');
  const score = scaledDot(scale === undefined ? {} : { scale });
  const to = new Composition();
  const capped: Modifier[] = [];
  const cap = attributes.number('softcap', 0);
  if (cap > 0) capped.push(softcap({ cap }));
  to.modifiers.push(...capped);
  addMasks(work, to, past, k.shape[2] as number);
  const { attend, call } = to.attend({ score, normalizer: softmax() });

  const mode = attributes.number('qk_matmul_output_mode', 0);
  const asked = wants('qk_matmul_output');
  const { context, weights } = attend(q, k, v, { ...call, weights: true });
  const stages = (): Tensor => {
    if (mode === 3) return weights;
    if (mode === 2) return where(allowedBy(to, one(), q, k, v), attend.scores(q, k, call), -Infinity);
    return attention({ score, modifiers: mode === 1 ? capped : [], normalizer: softmax() }).scores(q, k);
  };
  return {
    Y: packed ? merged(context) : context,
    present_key: k,
    present_value: v,
    ...(asked ? { qk_matmul_output: stages() } : {}),
  };
};

/** [batch, length, heads * feature] to [batch, head, length, feature]; rank 4 stays. */
export function heads(rows: Tensor, count: number): Tensor {
  if (rows.rank === 4) return rows;
  const [batch, length, width] = rows.shape as [number, number, number];
  return rows.reshape([batch, length, count, width / count]).permute([0, 2, 1, 3]);
}

/** [batch, head, length, feature] to [batch, length, heads * feature]. */
export function merged(rows: Tensor): Tensor {
  const [batch, count, length, width] = rows.shape as [number, number, number, number];
  return rows.permute([0, 2, 1, 3]).reshape([batch, length, count * width]);
}

function addMasks({ attributes, inputs }: Work, to: Composition, past: number, keys: number): void {
  // The block of queries stands after the past, or at the end of the keys that are no padding.
  const filled = inputs.has('nonpad_kv_seqlen');
  const align = filled ? ({ align: 'lengths' } as const) : { offset: past };
  if (filled) {
    to.masks.push(padding());
    to.inputs.lengths = inputs.tensor('nonpad_kv_seqlen');
  }
  if (attributes.flag('is_causal')) to.masks.push(causal(align));
  const left = attributes.number('left_window_size', -1);
  const right = attributes.number('right_window_size', -1);
  const far = keys + past + (inputs.shape('Q').at(-2) as number);
  if (left >= 0 || right >= 0) {
    to.masks.push(window({ ...align, left: left < 0 ? far : left, right: right < 0 ? far : right }));
  }
  if (!inputs.has('attn_mask')) return;
  const given = inputs.tensor('attn_mask');
  const missing = keys - (given.shape.at(-1) as number);
  const amounts = given.shape.map((_, i) => [0, i === given.rank - 1 ? missing : 0] as const);
  const boolean = given.dtype === 'bool';
  const mask = missing > 0 ? pad(given, amounts, boolean ? 0 : -Infinity) : given;
  if (boolean) to.allow(mask);
  else to.add(mask);
}

function allowedBy(to: Composition, normalizer: Normalizer, q: Tensor, k: Tensor, v: Tensor): Tensor<'bool'> {
  const { attend, call } = to.attend({ score: scaledDot(), normalizer });
  return gt(attend(q, k, v, { ...call, weights: true }).weights, 0.5);
}

/** A factor for all weights. */
const multiply = defineReweight({
  name: 'multiply',
  uniforms: { factor: 1 },
  factor: ({ uniforms: { factor } }) => factor,
});

export const onnxFlexAttention: Family = (work) => {
  const { attributes, inputs } = work;
  attributes.note('op', 'opset');
  const [q, k, v] = ['Q', 'K', 'V'].map((name) => inputs.tensor(name)) as [Tensor, Tensor, Tensor];
  const scale = attributes.number('scale');
  const to = new Composition();
  const modification = attributes.within('score_mod');
  if (modification) modify(modification, work, to, q);
  const { attend, call } = to.attend({
    score: scaledDot(scale === undefined ? {} : { scale }),
    normalizer: softmax(),
    reweight: factors(attributes.within('prob_mod')),
  });
  return { Y: attend(q, k, v, call) };
};

function factors(of: Attributes | undefined) {
  if (!of) return [];
  of.choice('kind', ['multiply_constant']);
  return [multiply({ factor: of.needed('value') })];
}
