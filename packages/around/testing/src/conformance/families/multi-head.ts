// torch.nn.MultiheadAttention as what it is made of: projections, attention over heads, a projection.

import { softmax } from '@heed/normalizers';
import { scaledDot } from '@heed/scores';
import { add, concat, logicalAnd, logicalNot, matmul, mean, pad, type Tensor, zeros } from '@heed/tensor';
import type { Family, Work } from '../family.ts';
import { heads, merged } from './onnx-attention.ts';
import { Composition } from './pieces.ts';

/** x Wᵀ + b. */
export function project(x: Tensor, weight: Tensor, bias: Tensor | undefined): Tensor {
  const out = matmul(x, weight, { transposeB: true });
  return bias ? add(out, bias) : out;
}

/** The tensors of one such layer, under their names in PyTorch without a prefix. */
export interface MultiHeadTensors {
  readonly tensor: (name: string) => Tensor;
  readonly maybe: (name: string) => Tensor | undefined;
}

export interface MultiHeadOptions {
  readonly count: number;
  readonly zeroKey?: boolean;
  /** True (or -infinity) blocks; [query, key] or [batch * heads, query, key]. */
  readonly mask?: Tensor | undefined;
  /** True blocks; [batch, key]. */
  readonly padding?: Tensor | undefined;
}

/** Rows are [batch, length, embedding]. */
export function attendInHeads(
  { query, key, value }: { readonly query: Tensor; readonly key: Tensor; readonly value: Tensor },
  from: MultiHeadTensors,
  { count, zeroKey = false, mask, padding }: MultiHeadOptions,
): { readonly out: Tensor; readonly weights: Tensor } {
  const width = query.shape.at(-1) as number;
  const part = (i: number, alone: string): readonly [Tensor, Tensor | undefined] => {
    const together = from.maybe('in_proj_weight');
    const bias = from.maybe('in_proj_bias')?.slice(0, i * width, (i + 1) * width);
    return [together ? together.slice(0, i * width, (i + 1) * width) : from.tensor(alone), bias];
  };
  const q = heads(project(query, ...part(0, 'q_proj_weight')), count);
  let k = project(key, ...part(1, 'k_proj_weight'));
  let v = project(value, ...part(2, 'v_proj_weight'));
  const [batch, length] = k.shape as [number, number];
  let extra = 0;
  const append = (rows: Tensor, row: Tensor): Tensor =>
    concat([rows, row.expand([batch, 1, width])], { axis: 1 });
  const learned = from.maybe('bias_k');
  if (learned) {
    [k, v] = [append(k, learned), append(v, from.tensor('bias_v'))];
    extra++;
  }
  if (zeroKey) {
    const zero = zeros(k.device, [1, 1, width], { dtype: k.dtype });
    [k, v] = [append(k, zero), append(v, zero)];
    extra++;
  }
  const to = new Composition();
  const seen = allowedIn(mask, padding, { batch, count, length, extra, to });
  if (seen) to.allow(seen);
  const { attend, call } = to.attend({ score: scaledDot(), normalizer: softmax() });
  const { context, weights } = attend(q, heads(k, count), heads(v, count), { ...call, weights: true });
  return {
    out: project(merged(context), from.tensor('out_proj.weight'), from.maybe('out_proj.bias')),
    weights,
  };
}

interface Extent {
  readonly batch: number;
  readonly count: number;
  readonly length: number;
  readonly extra: number;
  readonly to: Composition;
}

/** What takes part, [batch, head, query, key]; keys appended at the end always do. A float mask becomes a bias. */
function allowedIn(
  mask: Tensor | undefined,
  padding: Tensor | undefined,
  { batch, count, length, extra, to }: Extent,
): Tensor | undefined {
  const longer = (of: Tensor, value: number): Tensor =>
    extra === 0
      ? of
      : pad(
          of,
          of.shape.map((_, i) => [0, i === of.rank - 1 ? extra : 0] as const),
          value,
        );
  const split = (of: Tensor): Tensor =>
    of.rank === 3 ? of.reshape([batch, count, of.shape[1] as number, length]) : of;
  const parts: Tensor<'bool'>[] = [];
  const biases: Tensor[] = [];
  for (const one of [mask && split(mask), padding?.reshape([batch, 1, 1, length])]) {
    if (!one) continue;
    if (one.dtype === 'bool') parts.push(longer(logicalNot(one as Tensor<'bool'>), 1) as Tensor<'bool'>);
    else biases.push(longer(one, 0));
  }
  if (biases.length > 0) to.add(biases.reduce((a, b) => add(a, b)));
  const [first, second] = parts;
  return first && second ? logicalAnd(first, second) : first;
}

export const multiHead: Family = (work) => {
  const { attributes, inputs, wants } = work;
  attributes.note(
    'embed_dim',
    'bias',
    'self_attention',
    'need_weights',
    'kdim',
    'vdim',
    'add_bias_kv',
    'dropout',
  );
  attributes.oneOf('attn_mask', ['bool-true-BLOCKS', 'additive']);
  attributes.oneOf('key_padding_mask', ['bool-true-BLOCKS', 'additive']);
  const [arrange, restore] = layoutOf(work);
  const row = (name: string): Tensor => arrange(inputs.maybe('x') ?? inputs.tensor(name));
  const { out, weights } = attendInHeads(
    { query: row('query'), key: row('key'), value: row('value') },
    inputs,
    {
      count: attributes.needed('num_heads'),
      zeroKey: attributes.flag('add_zero_attn'),
      mask: inputs.maybe('attn_mask'),
      padding: inputs.maybe('key_padding_mask'),
    },
  );
  if (!wants('weights')) return { out: restore(out) };
  const shown = attributes.flag('average_attn_weights', true) ? mean(weights, { axis: 1 }) : weights;
  return { out: restore(out), weights: shown.reshape(work.shapeOf('weights')) };
};

type Change = (of: Tensor) => Tensor;

function layoutOf({ attributes, inputs }: Work): readonly [Change, Change] {
  const batchFirst = attributes.flag('batch_first');
  const rank = inputs.shape(inputs.has('x') ? 'x' : 'query').length;
  if (rank === 2) return [(of) => of.unsqueeze(0), (of) => of.squeeze(0)];
  const swap: Change = batchFirst ? (of) => of : (of) => of.transpose(0, 1);
  return [swap, swap];
}
