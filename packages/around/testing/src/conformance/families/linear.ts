// Linear attention: features of the rows in place of a softmax.

import { eluPlusOne, type FeatureMap, linearAttention, randomFeatures, reluFeatures } from '@heed/attention';
import { add, exp, matmul, mul, ones, softmax, stack, sub, type Tensor } from '@heed/tensor';
import { unsupported } from '../attributes.ts';
import type { Family, Work } from '../family.ts';
import { heads, merged } from './onnx-attention.ts';

const maps: Readonly<Record<string, FeatureMap>> = { 'elu(x)+1': eluPlusOne, 'relu(x)': reluFeatures };

export const linear: Family = (work) => {
  const { attributes, inputs } = work;
  const kind = attributes.oneOf('kind', ['kernel', 'efficient', 'performer']) ?? 'kernel';
  const [q, k, v] = ['q', 'k', 'v'].map((name) => inputs.tensor(name)) as [Tensor, Tensor, Tensor];
  if (kind === 'efficient') {
    attributes.note('causal', 'eps');
    return { out: matmul(softmax(q), matmul(softmax(k, { axis: -2 }), v, { transposeA: true })) };
  }
  if (kind === 'performer') {
    const omega = inputs.tensor('omega');
    return kernel(work, randomFeatures({ omega }), q, k, v);
  }
  const name = attributes.text('feature_map') ?? unsupported('the attribute "feature_map" is missing');
  const features = Object.hasOwn(maps, name) ? maps[name] : undefined;
  if (!features) return unsupported(`the feature map "${name}" is not known`);
  return kernel(work, features, q, k, v);
};

function kernel({ attributes, inputs }: Work, features: FeatureMap, q: Tensor, k: Tensor, v: Tensor) {
  const causal = attributes.either('causal', 'top-left');
  const mask = inputs.maybe('mask');
  attributes.oneOf('mask', ['bool-true-attend']);
  const attend = linearAttention({ features, causal, epsilon: attributes.number('eps', 0) });
  return { out: attend(q, k, v, mask ? { allowed: mask as Tensor<'bool'> } : {}) };
}

/** ONNX LinearAttention: a state of key times value, updated step by step. */
export const onnxLinearAttention: Family = ({ attributes, inputs, device }) => {
  attributes.note('op', 'opset');
  const rule = attributes.oneOf('update_rule', ['linear', 'gated', 'delta', 'gated_delta']) ?? 'gated_delta';
  const queryHeads = attributes.needed('q_num_heads');
  const keyHeads = attributes.needed('kv_num_heads');
  const q = heads(inputs.tensor('query'), queryHeads);
  const k = heads(inputs.tensor('key'), keyHeads);
  const v = heads(inputs.tensor('value'), keyHeads);
  const [batch, , length, width] = k.shape as [number, number, number, number];
  const shape = [batch, keyHeads, width, v.shape.at(-1) as number];
  const scale = attributes.number('scale', 0) || width ** -0.5;
  const decay = rule.startsWith('gated') ? heads(inputs.tensor('decay'), keyHeads) : null;
  const beta = rule.endsWith('delta') ? inputs.tensor('beta').permute([0, 2, 1]) : null;
  let state = inputs.has('past_state')
    ? inputs.tensor('past_state')
    : mul(ones(device, shape, { dtype: k.dtype }), 0);
  const steps: Tensor[] = [];
  const at = (of: Tensor, t: number): Tensor => of.slice(2, t, t + 1);
  for (let t = 0; t < length; t++) {
    const key = at(k, t).transpose();
    if (decay) state = mul(state, exp(at(decay, t).transpose()));
    const known = beta ? matmul(at(k, t), state) : null;
    const news = known ? sub(at(v, t), known) : at(v, t);
    const learned = beta ? mul(news, beta.slice(2, t, t + 1).unsqueeze(-1)) : news;
    state = add(state, matmul(key, learned));
    // Query head h reads the state of head floor(h * keyHeads / queryHeads).
    const group = queryHeads / keyHeads;
    const rows = at(q, t).reshape([batch, keyHeads, group, width]);
    steps.push(mul(matmul(rows, state), scale).reshape([batch, queryHeads, -1]));
  }
  return { output: merged(stack(steps, { axis: 2 })), present_state: state };
};
