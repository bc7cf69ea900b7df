// torch.nn.MultiheadAttention as the layer of @heed/multi-head, on its tensors.

import { fromPyTorch, multiHead as layerOf } from '@heed/multi-head';
import { add, logicalNot, matmul, mean, type Tensor } from '@heed/tensor';
import type { Family, Work } from '../family.ts';
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

const names = [
  ...['in_proj_weight', 'q_proj_weight', 'k_proj_weight', 'v_proj_weight', 'in_proj_bias'],
  ...['bias_k', 'bias_v', 'out_proj.weight', 'out_proj.bias'],
] as const;

/** Rows are [batch, length, embedding]. */
export function attendInHeads(
  { query, key, value }: { readonly query: Tensor; readonly key: Tensor; readonly value: Tensor },
  from: MultiHeadTensors,
  { count, zeroKey = false, mask, padding }: MultiHeadOptions,
): { readonly output: Tensor; readonly weights: Tensor } {
  const widthOf = (rows: Tensor) => rows.shape.at(-1) as number;
  const given = names.flatMap((name) => {
    const one = from.maybe(name);
    return one ? [[name, one] as const] : [];
  });
  const has = (name: string) => given.some(([one]) => one === name);
  const to = new Composition();
  for (const one of [mask && byHead(mask, query, count), padding?.unsqueeze(1).unsqueeze(1)]) {
    if (!one) continue;
    if (one.dtype === 'bool') to.allow(logicalNot(one as Tensor<'bool'>));
    else to.add(one);
  }
  const layer = layerOf(query.device, {
    width: widthOf(query),
    heads: count,
    keyWidth: widthOf(key),
    valueWidth: widthOf(value),
    bias: has('in_proj_bias'),
    outputBias: has('out_proj.bias'),
    learnedKey: has('bias_k'),
    zeroKey,
    mask: to.masks,
    modifiers: to.modifiers,
    parameters: fromPyTorch(Object.fromEntries(given), { heads: count }),
  });
  return layer(query, key, value, { inputs: to.inputs, weights: true });
}

/** [batch * heads, query, key] to [batch, head, query, key]. */
const byHead = (mask: Tensor, query: Tensor, count: number): Tensor =>
  mask.rank === 3 ? mask.reshape([query.shape[0] as number, count, ...mask.shape.slice(1)]) : mask;

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
  const { output, weights } = attendInHeads(
    { query: row('query'), key: row('key'), value: row('value') },
    inputs,
    {
      count: attributes.needed('num_heads'),
      zeroKey: attributes.flag('add_zero_attn'),
      mask: inputs.maybe('attn_mask'),
      padding: inputs.maybe('key_padding_mask'),
    },
  );
  if (!wants('weights')) return { out: restore(output) };
  const shown = attributes.flag('average_attn_weights', true) ? mean(weights, { axis: 1 }) : weights;
  return { out: restore(output), weights: shown.reshape(work.shapeOf('weights')) };
};

type Change = (of: Tensor) => Tensor;

function layoutOf({ attributes, inputs }: Work): readonly [Change, Change] {
  const batchFirst = attributes.flag('batch_first');
  const rank = inputs.shape(inputs.has('x') ? 'x' : 'query').length;
  if (rank === 2) return [(of) => of.unsqueeze(0), (of) => of.squeeze(0)];
  const swap: Change = batchFirst ? (of) => of : (of) => of.transpose(0, 1);
  return [swap, swap];
}
