// Attention with a learned query, on one level, on two, and with several queries.

import { attention, defineScore } from '@heed/attention';
import { dot, mat, matvec, add as plus, tanh, vec } from '@heed/expr';
import { allowed } from '@heed/masks';
import { softmax } from '@heed/normalizers';
import { cast, gt, matmul, max, square, sub, sum, type Tensor, tensor } from '@heed/tensor';
import type { Family, Outputs, Work } from '../family.ts';

/** u . tanh(W k + b): the query is a parameter. */
const learnedQuery = defineScore({
  name: 'learned-query',
  widths: 'separate',
  sizes: { hidden: 1 },
  params: { w: mat('hidden', 'keyFeature'), b: vec('hidden'), u: vec('hidden') },
  score: ({ k, params: { w, b, u } }) => dot(u, tanh(plus(matvec(w, k), b))),
});

/** q . tanh(W k). */
const hiddenDot = defineScore({
  name: 'hidden-dot',
  widths: 'separate',
  params: { w: mat('queryFeature', 'keyFeature') },
  score: ({ q, k, params: { w } }) => dot(q, tanh(matvec(w, k))),
});

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
  const attend = attention({
    score: learnedQuery({ hidden: b.shape[0] as number }),
    mask: mask ? [allowed()] : [],
    normalizer: softmax(),
  });
  // Nobody reads the query's row; there is one.
  const query = x.slice(1, 0, 1).slice(2, 0, 1).detach();
  const { context, weights } = attend(query, x, x, {
    params: { w: w.transpose(), b, u },
    inputs: mask ? { allowed: mask.unsqueeze(1).unsqueeze(1) } : {},
    weights: true,
  });
  return { weights: weights.squeeze(1), out: context.squeeze(1) };
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

function structured({ inputs, device }: Work): Outputs {
  const x = inputs.tensor('x');
  const attend = attention({ score: hiddenDot(), normalizer: softmax() });
  const queries = inputs.tensor('W2').transpose().unsqueeze(0);
  const params = { w: inputs.tensor('W1').transpose() };
  const { context, weights } = attend(queries, x, x, { params, weights: true });
  const count = weights.shape[1] as number;
  const identity = Float64Array.from({ length: count * count }, (_, at) => Number(at % (count + 1) === 0));
  const same = tensor(device, identity, { dtype: x.dtype, shape: [count, count] });
  const overlap = sub(matmul(weights, weights, { transposeB: true }), same);
  return { weights, out: context, penalty: sum(square(overlap), { axis: [-2, -1] }) };
}
