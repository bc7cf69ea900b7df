// Two sequences that attend to each other.

import { attention } from '@heed/attention';
import { softmax as softmaxNormalizer } from '@heed/normalizers';
import { dot, trilinear } from '@heed/scores';
import { add, concat, matmul, max, mul, softmax, type Tensor, tanh } from '@heed/tensor';
import type { Family, Outputs, Work } from '../family.ts';

export const coattention: Family = (work) => {
  switch (work.attributes.choice('kind', ['parallel', 'dcn', 'bidaf'])) {
    case 'parallel':
      return parallel(work);
    case 'dcn':
      return dynamic(work);
    case 'bidaf':
      return bidirectional(work);
  }
};

/** Lu et al. 2016 (arXiv 1606.00061): hidden layers mixed by an affinity, then a learned query. */
function parallel({ inputs }: Work): Outputs {
  const [v, q] = [inputs.tensor('context'), inputs.tensor('query')];
  const affinity = tanh(matmul(matmul(q, inputs.tensor('W_b')), v, { transposeB: true }));
  const fromV = matmul(v, inputs.tensor('W_v'));
  const fromQ = matmul(q, inputs.tensor('W_q'));
  const hiddenV = tanh(add(fromV, matmul(affinity, fromQ, { transposeA: true })));
  const hiddenQ = tanh(add(fromQ, matmul(affinity, fromV)));
  const pooled = (hidden: Tensor, by: string, rows: Tensor) => {
    const weights = softmax(matmul(hidden, inputs.tensor(by).unsqueeze(-1)).squeeze(-1));
    return { weights, vector: matmul(weights.unsqueeze(1), rows).squeeze(1) };
  };
  const a = pooled(hiddenV, 'w_hv', v);
  const b = pooled(hiddenQ, 'w_hq', q);
  return { context_weights: a.weights, query_weights: b.weights, context_vec: a.vector, query_vec: b.vector };
}

/** Xiong et al. 2016 (arXiv 1611.01604), without a sentinel. */
function dynamic({ inputs }: Work): Outputs {
  const [context, query] = [inputs.tensor('context'), inputs.tensor('query')];
  const attend = attention({ score: dot(), normalizer: softmaxNormalizer() });
  const toContext = attend(query, context, context, { weights: true });
  const both = concat([query, toContext.context], { axis: -1 });
  const toQuery = attend(context, query, both, { weights: true });
  return {
    A_Q: toContext.weights.transpose(),
    A_D: toQuery.weights,
    C_Q: toContext.context,
    C_D: toQuery.context,
  };
}

/** Seo et al. 2016 (arXiv 1611.01603). */
function bidirectional({ inputs }: Work): Outputs {
  const [context, query] = [inputs.tensor('context'), inputs.tensor('query')];
  const attend = attention({ score: trilinear(), normalizer: softmaxNormalizer() });
  const params = { wq: inputs.tensor('w_c'), wk: inputs.tensor('w_q'), wqk: inputs.tensor('w_cq') };
  const c2q = attend(context, query, query, { params, weights: true });
  const scores = attend.scores(context, query, { params });
  const q2c = softmax(max(scores, { axis: -1 }));
  const summary = matmul(q2c.unsqueeze(1), context);
  const G = concat([context, c2q.context, mul(context, c2q.context), mul(context, summary)], { axis: -1 });
  return { S: scores, c2q_weights: c2q.weights, q2c_weights: q2c, G };
}
