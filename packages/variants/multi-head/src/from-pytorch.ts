// Weights of torch.nn.MultiheadAttention.

import type { Parameters } from '@heed/nn';
import { NameError, type Tensor, ValueError } from '@heed/tensor';

export interface FromPyTorchOptions {
  /** The number of heads, which the file does not say: needed where there is a `bias_k`. */
  readonly heads?: number;
  /** What the names begin with: `'encoder.layers.0.self_attn.'`. Names that begin otherwise are left out. */
  readonly prefix?: string;
}

const projections = ['query', 'key', 'value'] as const;

/**
 * The tensors of a `torch.nn.MultiheadAttention` under the names that `multiHead` has. They are views: `load` them, or give them
 * to a layer as `parameters`, where gradients flow through to what they are views of.
 *
 * Its masks are the other way round: where `attn_mask` and `key_padding_mask` are true nothing is attended to, and in heed
 * a mask says what takes part.
 *
 * @throws NameError for a name that such a layer does not have; ValueError where heads are needed.
 * @example load(layer, fromPyTorch(tensorsOf(device, fromSafetensors(bytes)), { prefix: 'attn.' }))
 */
export function fromPyTorch(
  tensors: Readonly<Record<string, Tensor>>,
  { heads, prefix = '' }: FromPyTorchOptions = {},
): Parameters {
  const made: Record<string, Tensor> = {};
  for (const [path, tensor] of Object.entries(tensors)) {
    if (!path.startsWith(prefix)) continue;
    Object.assign(made, renamed(path, path.slice(prefix.length), tensor, heads));
  }
  return made;
}

function renamed(
  path: string,
  name: string,
  tensor: Tensor,
  heads: number | undefined,
): Record<string, Tensor> {
  switch (name) {
    case 'in_proj_weight':
      return thirds(tensor, 'weight');
    case 'in_proj_bias':
      return thirds(tensor, 'bias');
    case 'q_proj_weight':
      return { 'query.weight': tensor };
    case 'k_proj_weight':
      return { 'key.weight': tensor };
    case 'v_proj_weight':
      return { 'value.weight': tensor };
    case 'out_proj.weight':
      return { 'output.weight': tensor };
    case 'out_proj.bias':
      return { 'output.bias': tensor };
    case 'bias_k':
      return { 'extra.key': byHead(path, tensor, heads) };
    case 'bias_v':
      return { 'extra.value': byHead(path, tensor, heads) };
    default:
      throw new NameError(
        `fromPyTorch: "${path}" is no tensor of a MultiheadAttention, which has in_proj_weight (or q_proj_weight, k_proj_weight, ` +
          'v_proj_weight), in_proj_bias, bias_k, bias_v, out_proj.weight and out_proj.bias. Give the prefix of the layer: { prefix }.',
      );
  }
}

/** [3 width, ...]: queries, keys and values one after another. */
function thirds(tensor: Tensor, name: 'weight' | 'bias'): Record<string, Tensor> {
  const size = (tensor.shape[0] as number) / 3;
  return Object.fromEntries(
    projections.map((one, i) => [`${one}.${name}`, tensor.slice(0, i * size, (i + 1) * size)]),
  );
}

/** [1, 1, width] to [head, feature]. */
function byHead(path: string, tensor: Tensor, heads: number | undefined): Tensor {
  if (heads === undefined)
    throw new ValueError(
      `fromPyTorch: "${path}" is of all heads together. Say how many there are: { heads }.`,
    );
  return tensor.reshape([heads, -1]);
}
