// Scores that know places: Luong's location, Chorowski's location-sensitive attention, the addressing of a Turing machine.

import { softmax } from '@heed/normalizers';
import { cosine, locationBase, locationFeatures, locationSensitive } from '@heed/scores';
import { add, concat, div, matmul, mul, pow, sub, sum, type Tensor } from '@heed/tensor';
import { unsupported } from '../attributes.ts';
import type { Family, Outputs, Work } from '../family.ts';
import { Composition } from './pieces.ts';
import { allowGiven } from './scores.ts';

export const location: Family = (work) => {
  switch (work.attributes.choice('kind', ['luong-location', 'location-sensitive', 'ntm'])) {
    case 'luong-location':
      return luong(work);
    case 'location-sensitive':
      return chorowski(work);
    case 'ntm':
      return turing(work);
  }
};

function luong(work: Work): Outputs {
  const { inputs } = work;
  const to = new Composition();
  const w = inputs.tensor('W_a').transpose();
  to.params.w = w;
  allowGiven(work, to);
  const score = locationBase({ positions: w.shape[0] as number });
  const { attend, call } = to.attend({ score, normalizer: softmax() });
  const value = inputs.tensor('value');
  const { context, weights } = attend(inputs.tensor('query'), value, value, { ...call, weights: true });
  return { context, weights };
}

function chorowski(work: Work): Outputs {
  const { attributes, inputs } = work;
  attributes.oneOf('conv_padding', ['same-zero']);
  if (attributes.flag('conv_flip')) unsupported('a flipped kernel: turn it round before');
  const to = new Composition();
  for (const [name, from] of [
    ['w', 'W_q'],
    ['u', 'W_k'],
    ['f', 'W_f'],
  ] as const) {
    to.params[name] = inputs.tensor(from).transpose();
  }
  to.params.b = inputs.tensor('b');
  to.params.v = inputs.tensor('v');
  to.inputs.features = locationFeatures(inputs.tensor('prev_weights'), inputs.tensor('conv')).unsqueeze(1);
  allowGiven(work, to);
  const [channels] = inputs.shape('conv') as [number];
  const score = locationSensitive({ hidden: inputs.shape('v')[0] as number, channels });
  const { attend, call } = to.attend({ score, normalizer: softmax() });
  const query = inputs.tensor('query').unsqueeze(1);
  const key = inputs.tensor('key');
  const { context, weights } = attend(query, key, key, { ...call, weights: true });
  const one = (of: Tensor): Tensor => of.squeeze(1);
  return { context: one(context), weights: one(weights), scores: one(attend.scores(query, key, call)) };
}

function turing({ attributes, inputs }: Work): Outputs {
  const memory = inputs.tensor('memory');
  const to = new Composition();
  to.inputs.strengths = inputs.tensor('beta').unsqueeze(-1).unsqueeze(-1);
  const { attend, call } = to.attend({ score: cosine({ strength: 'given' }), normalizer: softmax() });
  const query = inputs.tensor('query').unsqueeze(1);
  const content = attend(query, memory, memory, { ...call, weights: true }).weights.squeeze(1);
  const gate = inputs.tensor('gate').unsqueeze(-1);
  const gated = add(mul(gate, content), mul(sub(1, gate), inputs.tensor('prev_weights')));
  const length = gated.shape[1] as number;
  const shift = inputs.tensor('shift');
  const offsets = attributes.numbers('shift_offsets') ?? [-1, 0, 1];
  const shifted = offsets
    .map((offset, i) => mul(roll(gated, offset, length), shift.slice(1, i, i + 1)))
    .reduce((a, b) => add(a, b));
  const sharp = pow(shifted, inputs.tensor('gamma').unsqueeze(-1));
  const weights = div(sharp, sum(sharp, { axis: -1, keepDims: true }));
  return { content_weights: content, weights, read: matmul(weights.unsqueeze(1), memory).squeeze(1) };
}

/** out[i] = in[(i - offset) mod length]. */
function roll(rows: Tensor, offset: number, length: number): Tensor {
  const cut = ((-offset % length) + length) % length;
  return cut === 0 ? rows : concat([rows.slice(1, cut, length), rows.slice(1, 0, cut)], { axis: 1 });
}
