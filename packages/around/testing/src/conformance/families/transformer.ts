// torch.nn.TransformerEncoderLayer and DecoderLayer, and stacks of them, as compositions.

import { add, type DType, mul, relu, type Tensor, tensor } from '@heed/tensor';
import type { Family, Inputs, Outputs, Work } from '../family.ts';
import { attendInHeads, type MultiHeadTensors, project } from './multi-head.ts';
import { gelu, layerNorm } from './onnx-operators.ts';

const modules = [
  'TransformerEncoderLayer',
  'TransformerEncoder',
  'TransformerDecoderLayer',
  'TransformerDecoder',
] as const;

const under = (inputs: Inputs, prefix: string): MultiHeadTensors => ({
  tensor: (name) => inputs.tensor(prefix + name),
  maybe: (name) => inputs.maybe(prefix + name),
});

interface Layer {
  readonly from: MultiHeadTensors;
  readonly inside: (prefix: string) => MultiHeadTensors;
  readonly count: number;
  readonly normFirst: boolean;
  readonly epsilon: number;
  readonly activation: (of: Tensor) => Tensor;
}

export const transformer: Family = (work) => {
  const { attributes, inputs } = work;
  attributes.note(
    'op',
    'd_model',
    'dim_feedforward',
    'dropout',
    'bias',
    'batch_first',
    'shared_layer_weights',
  );
  const decoder = attributes.choice('module', modules).includes('Decoder');
  const layers = attributes.number('num_layers', 1);
  const settings = {
    count: attributes.needed('nhead'),
    normFirst: attributes.flag('norm_first'),
    epsilon: attributes.number('layer_norm_eps', 1e-5),
    activation:
      attributes.choice('activation', ['relu', 'gelu']) === 'relu' ? relu : (of: Tensor) => gelu(of, 'none'),
  };
  attributes.oneOf('padding_mask', ['bool-true-BLOCKS']);
  attributes.oneOf('memory_padding_mask', ['bool-true-BLOCKS']);
  let x = inputs.tensor(decoder ? 'tgt' : 'src');
  const own = masksOf(work, x, 'padding_mask', ['mask', 'attn_mask', 'tgt_mask', 'src_mask']);
  for (let n = 0; n < layers; n++) {
    const prefix = inputs.names.some((name) => name.startsWith(`layers.${n}.`)) ? `layers.${n}.` : '';
    const layer: Layer = {
      ...settings,
      from: under(inputs, prefix),
      inside: (name) => under(inputs, `${prefix}${name}.`),
    };
    x = decoder ? decode(x, inputs.tensor('memory'), layer, work, own) : encode(x, layer, own);
  }
  if (attributes.flag('final_norm')) x = norm(x, under(inputs, 'norm.'), settings.epsilon);
  return { out: x } satisfies Outputs;
};

interface Masks {
  readonly mask: Tensor | undefined;
  readonly padding: Tensor | undefined;
}

function masksOf(
  { attributes, inputs, device }: Work,
  x: Tensor,
  padding: string,
  names: readonly string[],
): Masks {
  const given = names.find((name) => inputs.has(name));
  if (given) attributes.note(given);
  const isCausal =
    attributes.oneOf('causal', ['encoder self-attention', 'decoder self-attention']) !== undefined;
  const length = x.shape[1] as number;
  const later = (): Tensor =>
    tensor(
      device,
      Uint8Array.from({ length: length * length }, (_, at) => Number(at % length > Math.floor(at / length))),
      {
        dtype: 'bool' as DType,
        shape: [length, length],
      },
    );
  return {
    mask: given ? inputs.tensor(given) : isCausal ? later() : undefined,
    padding: inputs.maybe(padding),
  };
}

/** Where a norm has no weight it is 1. */
function norm(x: Tensor, { maybe }: MultiHeadTensors, epsilon: number): Tensor {
  const { y } = layerNorm(x, [-1], epsilon);
  const weight = maybe('weight');
  const scaled = weight ? mul(y, weight) : y;
  const bias = maybe('bias');
  return bias ? add(scaled, bias) : scaled;
}

/** A sublayer with its residual: norm(x + f(x)), or x + f(norm(x)). */
function residual(
  x: Tensor,
  name: string,
  { inside, normFirst, epsilon }: Layer,
  f: (x: Tensor) => Tensor,
): Tensor {
  return normFirst ? add(x, f(norm(x, inside(name), epsilon))) : norm(add(x, f(x)), inside(name), epsilon);
}

const feedForward = (x: Tensor, { from, activation }: Layer): Tensor =>
  project(
    activation(project(x, from.tensor('linear1.weight'), from.maybe('linear1.bias'))),
    from.tensor('linear2.weight'),
    from.maybe('linear2.bias'),
  );

function encode(x: Tensor, layer: Layer, masks: Masks): Tensor {
  const { inside, count } = layer;
  const attended = residual(
    x,
    'norm1',
    layer,
    (rows) =>
      attendInHeads({ query: rows, key: rows, value: rows }, inside('self_attn'), { count, ...masks }).output,
  );
  return residual(attended, 'norm2', layer, (rows) => feedForward(rows, layer));
}

function decode(x: Tensor, memory: Tensor, layer: Layer, { inputs }: Work, masks: Masks): Tensor {
  const { inside, count } = layer;
  const own = residual(
    x,
    'norm1',
    layer,
    (rows) =>
      attendInHeads({ query: rows, key: rows, value: rows }, inside('self_attn'), { count, ...masks }).output,
  );
  const padding = inputs.maybe('memory_padding_mask');
  const crossed = residual(
    own,
    'norm2',
    layer,
    (rows) =>
      attendInHeads({ query: rows, key: memory, value: memory }, inside('multihead_attn'), { count, padding })
        .output,
  );
  return residual(crossed, 'norm3', layer, (rows) => feedForward(rows, layer));
}
