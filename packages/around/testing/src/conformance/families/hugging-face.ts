// Attention blocks of Hugging Face transformers: gemma2, llama, t5.

import { causal, softcap, window } from '@heed/masks';
import { softmax } from '@heed/normalizers';
import { scaledDot } from '@heed/scores';
import { type Tensor, take, tensor } from '@heed/tensor';
import type { Family, Work } from '../family.ts';
import { project } from './multi-head.ts';
import { heads, merged } from './onnx-attention.ts';
import { rotate } from './onnx-operators.ts';
import { Composition } from './pieces.ts';
import { buckets } from './position.ts';

export const huggingFace: Family = (work) => {
  const { attributes, inputs } = work;
  const block = attributes.choice('block', ['gemma2', 'llama', 't5']);
  attributes.note('head_dim', 'bias');
  const short = block === 't5';
  const named = (name: string): string => (short ? name : `${name}_proj`);
  const linear = (rows: Tensor, name: string): Tensor =>
    project(rows, inputs.tensor(`${named(name)}.weight`), inputs.maybe(`${named(name)}.bias`));
  const x = inputs.tensor('x');
  const count = attributes.needed('num_heads');
  const keyHeads = attributes.number('num_kv_heads', count);
  let q = heads(linear(x, 'q'), count);
  let k = heads(linear(x, 'k'), keyHeads);
  const v = heads(linear(x, 'v'), keyHeads);
  const rope = attributes.oneOf('rope', ['rotate-half']);
  if (rope) [q, k] = [turned(q, work), turned(k, work)];

  const to = new Composition();
  const cap = attributes.number('softcap', 0);
  if (cap > 0) to.modifiers.push(softcap({ cap }));
  if (attributes.flag('causal')) to.masks.push(causal());
  const reach = attributes.number('window');
  if (reach !== undefined) {
    attributes.choice('window_rule', ['attend iff 0 <= q-k < window']);
    to.masks.push(window({ left: reach - 1, right: 0 }));
  }
  attributes.note('window_rule');
  const position = short ? relativeBias(work, x.shape[1] as number) : null;
  if (position) to.add(position);
  const { attend, call } = to.attend({
    score: scaledDot({ scale: attributes.needed('scale') }),
    normalizer: softmax(),
  });
  const { context, weights } = attend(q, k, v, { ...call, weights: true });
  return { out: linear(merged(context), 'o'), weights, ...(position ? { position_bias: position } : {}) };
};

/** Rotary positions 0, 1, 2, ... */
function turned(rows: Tensor, { attributes, device }: Work): Tensor {
  const [, , length, width] = rows.shape as [number, number, number, number];
  const base = attributes.number('rope_base', 10000);
  const half = width / 2;
  const angles = Float64Array.from({ length: length * half }, (_, at) => {
    const position = Math.floor(at / half);
    return position * base ** ((-2 * (at % half)) / width);
  });
  const table = (f: (angle: number) => number): Tensor =>
    tensor(device, angles.map(f), { dtype: rows.dtype, shape: [length, half] });
  return rotate(rows, table(Math.cos), table(Math.sin), 'halves');
}

/** T5's bias by bucketed distance: [1, head, query, key]. */
const relativeBias = (work: Work, length: number): Tensor =>
  take(work.inputs.tensor('relative_attention_bias.weight'), buckets(work, length, length))
    .permute([2, 0, 1])
    .unsqueeze(0);
