// Attention with a learned query, on one level, on two, and with several queries.

import { allowed } from '@heed/masks';
import { attentionPooling, overlap } from '@heed/self';
import { cast, gt, max, type Tensor } from '@heed/tensor';
import type { Family, Outputs, Work } from '../family.ts';

export const pooling: Family = (work) => {
  switch (work.attributes.choice('kind', ['attention-pool', 'hierarchical', 'structured-self-attentive'])) {
    case 'attention-pool': {
      const { inputs } = work;
      const mask = inputs.maybe('mask') as Tensor<'bool'> | undefined;
      const { weights, out } = pool(
        inputs.tensor('x'),
        mask,
        inputs.tensor('W'),
        inputs.tensor('b'),
        inputs.tensor('u'),
      );
      return { weights, out };
    }
    case 'hierarchical':
      return hierarchical(work);
    case 'structured-self-attentive':
      return structured(work);
  }
};

/** x [batch, length, feature], mask [batch, length]. */
function pool(x: Tensor, mask: Tensor<'bool'> | undefined, w: Tensor, b: Tensor, u: Tensor) {
  const [width, hidden] = w.shape as [number, number];
  const layer = attentionPooling(x.device, {
    ...{ width, hidden, mask: mask ? [allowed()] : [] },
    parameters: { 'key.weight': w.transpose(), 'key.bias': b, query: u.unsqueeze(0) },
  });
  const inputs = mask ? { allowed: mask.unsqueeze(1).unsqueeze(1) } : {};
  const { context, weights } = layer(x, { inputs, weights: true });
  return { weights, out: context };
}

function hierarchical({ inputs }: Work): Outputs {
  const x = inputs.tensor('x');
  const [batch, sentences, words, width] = x.shape as [number, number, number, number];
  const mask = inputs.maybe('word_mask') as Tensor<'bool'> | undefined;
  const flat = mask?.reshape([batch * sentences, words]);
  const kernel = (level: string): [Tensor, Tensor, Tensor] => [
    inputs.tensor(`W_${level}`),
    inputs.tensor(`b_${level}`),
    inputs.tensor(`u_${level}`),
  ];
  const low = pool(x.reshape([batch * sentences, words, width]), flat, ...kernel('w'));
  const vectors = low.out.reshape([batch, sentences, width]);
  const spoken = mask && gt(max(cast(mask, x.dtype), { axis: -1 }), 0);
  const high = pool(vectors, spoken as Tensor<'bool'> | undefined, ...kernel('s'));
  return {
    word_weights: low.weights.reshape([batch, sentences, words]),
    sentence_vectors: vectors,
    sentence_weights: high.weights,
    out: high.out,
  };
}

function structured({ inputs }: Work): Outputs {
  const x = inputs.tensor('x');
  const [hidden, queries] = inputs.shape('W2') as [number, number];
  const layer = attentionPooling(x.device, {
    ...{ width: x.shape[2] as number, hidden, queries, bias: false },
    parameters: { 'key.weight': inputs.tensor('W1').transpose(), query: inputs.tensor('W2').transpose() },
  });
  const { context, weights } = layer(x, { weights: true });
  return { weights, out: context, penalty: overlap(weights) };
}
