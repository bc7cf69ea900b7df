// Families that name an operation and hand it to the runner of that operation: numerics, large, literal.

import { attention } from '@heed/attention';
import { softcap as softcapPart } from '@heed/masks';
import { softmax } from '@heed/normalizers';
import { additive, cosine } from '@heed/scores';
import { add, logsumexp, mul, type Tensor } from '@heed/tensor';
import { unsupported } from '../attributes.ts';
import type { Family, Work } from '../family.ts';
import { sdpa } from './dot-product.ts';
import { keras } from './keras.ts';
import { linear } from './linear.ts';
import { normalize, normalized } from './normalizers.ts';
import { gelu, layerNorm } from './onnx-operators.ts';
import { Composition, givenScore } from './pieces.ts';
import { allowGiven, batchSecond, score } from './scores.ts';
import { meansOfWrapper } from './seq2seq.ts';
import { transformer } from './transformer.ts';

const operations: Readonly<Record<string, Family>> = {
  sdpa,
  scores: score,
  keras,
  normalize,
  transformer,
  additive: bahdanau,
  luong_batch_second: batchSecond,
  linear_attention: linear,
  logsumexp: ({ attributes, inputs }) => ({
    lse: logsumexp(inputs.tensor('logits'), { axis: attributes.number('axis', -1) }),
  }),
  softcap: ({ attributes, inputs }) => ({ out: capped(inputs.tensor('logits'), attributes.needed('cap')) }),
  gelu: ({ attributes, inputs }) => ({
    y: gelu(inputs.tensor('x'), attributes.choice('approximate', ['none', 'tanh'])),
  }),
  layer_norm: ({ attributes, inputs }) => {
    const { y } = layerNorm(inputs.tensor('x'), [-1], attributes.number('epsilon', 1e-5));
    return { y: add(mul(y, inputs.tensor('weight')), inputs.tensor('bias')) };
  },
  cosine_score: ({ attributes, inputs }) => {
    if (attributes.number('eps', 1e-8) !== 1e-8) unsupported('cosine() counts a row as at least 1e-8 long');
    const attend = attention({ score: cosine(), normalizer: softmax() });
    return { scores: attend.scores(inputs.tensor('query'), inputs.tensor('key')) };
  },
  attention_wrapper: meansOfWrapper,
};

const normalizers = new Set([
  'softmax',
  'log_softmax',
  'sigmoid',
  'sparsemax',
  'entmax15',
  'softmax1',
  'relu',
  'hardmax',
]);

/** Runs the operation that `op` names. */
export const byOperation: Family = (work) => {
  const op = work.attributes.text('op') ?? unsupported('the attribute "op" is missing');
  if (normalizers.has(op)) return { p: normalized(op, work) };
  const family = Object.hasOwn(operations, op) ? operations[op] : undefined;
  return family ? family(work) : unsupported(`the operation "${op}" is not known`);
};

/** As the family `additive`, whose score goes without saying. */
function bahdanau(work: Work) {
  const { attributes, inputs } = work;
  const to = new Composition();
  allowGiven(work, to);
  const hidden = inputs.shape('v')[0] as number;
  const bias = inputs.has('b');
  Object.assign(to.params, {
    w: inputs.tensor('W_q').transpose(),
    u: inputs.tensor('W_k').transpose(),
    v: inputs.tensor('v'),
    ...(bias ? { b: inputs.tensor('b') } : {}),
  });
  const { attend, call } = to.attend({ score: additive({ hidden, bias }), normalizer: softmax() });
  const [query, key] = [inputs.tensor('query'), inputs.tensor('key')];
  const value = inputs.tensor(attributes.oneOf('values', ['key', 'value']) ?? 'key');
  // Only what is asked for: large problems have no room for scores of all pairs.
  if (!work.wants('weights') && !work.wants('scores')) return { context: attend(query, key, value, call) };
  const { context, weights } = attend(query, key, value, { ...call, weights: true });
  return { context, weights, scores: attend.scores(query, key, call) };
}

/** The softcap that attention applies, on scores that are given. */
function capped(logits: Tensor, cap: number): Tensor {
  const to = new Composition();
  to.inputs.logits = logits;
  to.modifiers.push(softcapPart({ cap }));
  const { attend, call } = to.attend({ score: givenScore(), normalizer: softmax() });
  const [queries, keys] = logits.shape as [number, number];
  const rows = (length: number): Tensor => logits.slice(0, 0, 1).slice(1, 0, 1).detach().expand([length, 1]);
  return attend.scores(rows(queries), rows(keys), call);
}
