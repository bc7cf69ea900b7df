// Luong's local attention: a window around a position, and a Gaussian that is not renormalised.

import { defineReweight } from '@heed/attention';
import { abs, le, scalar, select, sub } from '@heed/expr';
import { localGaussian, local as localWindow, padding } from '@heed/masks';
import { softmax } from '@heed/normalizers';
import { arange, cast, div, matmul, mul, sigmoid, sum, type Tensor, tanh, tensor } from '@heed/tensor';
import type { Family } from '../family.ts';
import { Composition } from './pieces.ts';
import { scoreOf } from './scores.ts';

/** Local-m over a softmax of all keys: weights beyond the window become 0, the others stay. */
const cut = defineReweight({
  name: 'cut',
  uniforms: { reach: 1 },
  inputs: { centers: { type: scalar, along: ['batch', 'head', 'query'] } },
  factor: ({ key, inputs: { centers }, uniforms: { reach } }) =>
    select(le(abs(sub(key, centers)), reach), 1, 0),
});

export const local: Family = (work) => {
  const { attributes, inputs, device } = work;
  const query = inputs.tensor('query');
  const key = inputs.tensor('key');
  const kind = attributes.choice('kind', ['local-m', 'local-p']);
  const align = attributes.choice('align', ['window-softmax', 'full-softmax']);
  const window = attributes.needed('window');
  const sigma = attributes.number('sigma', window / 2);
  const [batch, steps] = query.shape as [number, number];
  const length = key.shape[1] as number;
  const lengths = inputs.has('lengths')
    ? inputs.tensor('lengths')
    : tensor(device, new Int32Array(batch).fill(length), { dtype: 'int32', shape: [batch] });

  const to = new Composition();
  const score = scoreOf(work, to);
  let p: Tensor;
  if (kind === 'local-m') {
    p = cast(arange(device, steps), query.dtype).unsqueeze(0).expand([batch, steps]);
  } else {
    // L sigmoid(v_p . tanh(query W_p)).
    const hidden = tanh(matmul(query, inputs.tensor('W_p')));
    const share = sigmoid(sum(mul(hidden, inputs.tensor('v_p')), { axis: -1 }));
    p = mul(cast(lengths, query.dtype).unsqueeze(-1), share);
  }
  const whole = align === 'full-softmax';
  to.inputs.lengths = lengths;
  to.masks.push(padding());
  if (!whole) to.masks.push(localWindow({ window }));
  const reweight =
    kind === 'local-p'
      ? [localGaussian({ sigma, ...(whole ? { window } : {}) })]
      : whole
        ? [cut({ reach: window })]
        : [];
  if (!whole || reweight.length > 0) to.inputs.centers = p.unsqueeze(1);
  const { attend, call } = to.attend({ score, normalizer: softmax(), reweight });
  const { context, weights } = attend(query, key, key, { ...call, weights: true });
  if (!attributes.flag('renormalize')) return { p, context, weights };
  const renormalised = div(weights, sum(weights, { axis: -1, keepDims: true }));
  return { p, weights: renormalised, context: matmul(renormalised, key) };
};
