// Weights of keras.layers.MultiHeadAttention and GroupQueryAttention.

import type { Parameters } from '@heed/nn';
import { NameError, type Tensor } from '@heed/tensor';

const names: Readonly<Record<string, string>> = {
  query: 'query',
  key: 'key',
  value: 'value',
  attention_output: 'output',
};

/**
 * The tensors of a Keras `MultiHeadAttention` or `GroupQueryAttention`, such as `query/kernel` [width, head, feature], under the
 * names and in the layout that `multiHead` has. They are views: `load` them, or give them to a layer as `parameters`.
 *
 * @param prefix what the names begin with: `'multi_head_attention/'`. Names that begin otherwise are left out.
 * @throws NameError for a name that such a layer does not have.
 */
export function fromKeras(
  tensors: Readonly<Record<string, Tensor>>,
  { prefix = '' }: { readonly prefix?: string } = {},
): Parameters {
  const made: Record<string, Tensor> = {};
  for (const [path, tensor] of Object.entries(tensors)) {
    if (!path.startsWith(prefix)) continue;
    const [layer = '', kind] = path.slice(prefix.length).split('/');
    const name = Object.hasOwn(names, layer) ? names[layer] : undefined;
    if (!name || (kind !== 'kernel' && kind !== 'bias')) {
      throw new NameError(
        `fromKeras: "${path}" is no tensor of a MultiHeadAttention, which has kernel and bias of ${Object.keys(names).join(', ')}, ` +
          'as in query/kernel. Give the prefix of the layer: { prefix }.',
      );
    }
    made[`${name}.${kind === 'bias' ? 'bias' : 'weight'}`] =
      kind === 'bias' ? tensor.reshape([-1]) : matrix(tensor, name);
  }
  return made;
}

/** [width, head, feature], or [head, feature, width] for the last projection, to [out, in]. */
const matrix = (kernel: Tensor, name: string): Tensor => {
  const { shape } = kernel;
  return (
    name === 'output'
      ? kernel.reshape([-1, shape.at(-1) as number])
      : kernel.reshape([shape[0] as number, -1])
  ).transpose();
};
