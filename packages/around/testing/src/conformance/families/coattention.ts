// Two sequences that attend to each other.

import { attention } from '@heed/attention';
import { bidirectionalAttention, coAttention } from '@heed/multi-head';
import { softmax as softmaxNormalizer } from '@heed/normalizers';
import { dot, trilinear } from '@heed/scores';
import { concat } from '@heed/tensor';
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

/** Lu et al. 2016 (arXiv 1606.00061): the layer of it. */
function parallel({ inputs }: Work): Outputs {
  const [v, q] = [inputs.tensor('context'), inputs.tensor('query')];
  const [firstWidth, secondWidth] = [v.shape.at(-1), q.shape.at(-1)] as [number, number];
  const [first, second] = [inputs.tensor('W_v').transpose(), inputs.tensor('W_q').transpose()];
  const layer = coAttention(v.device, {
    ...{ firstWidth, secondWidth, hidden: first.shape[0] as number },
    parameters: {
      'affinity.weight': inputs.tensor('W_b').transpose(),
      'first.weight': first,
      'second.weight': second,
      'first.query': inputs.tensor('w_hv').unsqueeze(0),
      'second.query': inputs.tensor('w_hq').unsqueeze(0),
    },
  });
  const { weights, ...vectors } = layer(v, q, { weights: true });
  return {
    context_weights: weights.first,
    query_weights: weights.second,
    context_vec: vectors.first,
    query_vec: vectors.second,
  };
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

/** Seo et al. 2017 (arXiv 1611.01603): the layer of it, and the scores that it does not keep. */
function bidirectional({ inputs }: Work): Outputs {
  const [context, query] = [inputs.tensor('context'), inputs.tensor('query')];
  const params = { wq: inputs.tensor('w_c'), wk: inputs.tensor('w_q'), wqk: inputs.tensor('w_cq') };
  const layer = bidirectionalAttention(context.device, {
    width: context.shape.at(-1) as number,
    parameters: Object.fromEntries(
      Object.entries(params).map(([name, tensor]) => [`attention.${name}`, tensor]),
    ),
  });
  const { output, weights } = layer(context, query, { weights: true });
  const scores = attention({ score: trilinear(), normalizer: softmaxNormalizer() }).scores(context, query, {
    params,
  });
  return { S: scores, c2q_weights: weights.toQuery, q2c_weights: weights.toContext, G: output };
}
