// Linear attention: features of the rows in place of a softmax.

import { attention } from '@heed/attention';
import { type Expr, gt, add as plus, exp as power, type Scalar, select } from '@heed/expr';
import { allowed, causal } from '@heed/masks';
import { identity } from '@heed/normalizers';
import { dot } from '@heed/scores';
import {
  add,
  concat,
  div,
  elementwise,
  exp,
  matmul,
  mul,
  ones,
  relu,
  softmax,
  square,
  stack,
  sub,
  sum,
  type Tensor,
} from '@heed/tensor';
import { unsupported } from '../attributes.ts';
import type { Family, Work } from '../family.ts';
import { heads, merged } from './onnx-attention.ts';

const eluPlusOne = (x: Expr<Scalar>) => select(gt(x, 0), plus(x, 1), power(x));
const features: Readonly<Record<string, (of: Tensor) => Tensor>> = {
  'elu(x)+1': (of) => elementwise('eluPlusOne', eluPlusOne, [of]),
  'relu(x)': relu,
};

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
    return kernel(work, performer(q, omega), performer(k, omega), v);
  }
  const name = attributes.text('feature_map') ?? unsupported('the attribute "feature_map" is missing');
  const phi = Object.hasOwn(features, name) ? features[name] : undefined;
  if (!phi) return unsupported(`the feature map "${name}" is not known`);
  return kernel(work, phi(q), phi(k), v);
};

/** Positive random features: exp(omega x' - |x'|^2 / 2) / sqrt(M) with x' = x / D^(1/4). */
function performer(x: Tensor, omega: Tensor): Tensor {
  const scaled = mul(x, (x.shape.at(-1) as number) ** -0.25);
  const half = mul(sum(square(scaled), { axis: -1, keepDims: true }), 0.5);
  return mul(exp(sub(matmul(scaled, omega, { transposeB: true }), half)), (omega.shape[0] as number) ** -0.5);
}

/** The products of features are weights as they are; a value of ones beside the others sums them. */
function kernel({ attributes, inputs, device }: Work, q: Tensor, k: Tensor, v: Tensor) {
  const isCausal = attributes.either('causal', 'top-left');
  const mask = inputs.maybe('mask');
  attributes.oneOf('mask', ['bool-true-attend']);
  const attend = attention({
    score: dot(),
    mask: [...(isCausal ? [causal({ align: 'start' })] : []), ...(mask ? [allowed()] : [])],
    normalizer: identity(),
  });
  const beside = concat([v, ones(device, [...v.shape.slice(0, -1), 1], { dtype: v.dtype })], { axis: -1 });
  const given = mask ? { inputs: { allowed: mask.unsqueeze(1).unsqueeze(1) } } : {};
  const both = attend(q, k, beside, given);
  const width = v.shape.at(-1) as number;
  const total = both.slice(-1, width, width + 1);
  return { out: div(both.slice(-1, 0, width), add(total, attributes.number('eps', 0))) };
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
