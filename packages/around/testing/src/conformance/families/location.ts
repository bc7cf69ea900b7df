// Scores that know places: Luong's location, Chorowski's location-sensitive attention, the addressing of a Turing machine.

import { defineModifier, defineScore } from '@heed/attention';
import { dot, mat, matvec, pick, add as plus, scalar, tanh, mul as times, vec } from '@heed/expr';
import { softmax } from '@heed/normalizers';
import { cosine } from '@heed/scores';
import { add, concat, div, matmul, mul, pad, pow, stack, sub, sum, type Tensor } from '@heed/tensor';
import { unsupported } from '../attributes.ts';
import type { Family, Outputs, Work } from '../family.ts';
import { Composition } from './pieces.ts';
import { allowGiven } from './scores.ts';

/** The query alone says how much each position weighs: (W q)[key]. */
const byPosition = defineScore({
  name: 'location',
  widths: 'separate',
  params: { w: mat('positions', 'queryFeature') },
  sizes: { positions: 1 },
  score: ({ q, key, params: { w } }) => pick(matvec(w, q), key),
});

/** v . tanh(W q + U k + F f + b), f what a convolution sees of the weights before. */
const sensitive = defineScore({
  name: 'location-sensitive',
  widths: 'separate',
  sizes: { hidden: 1, channels: 1 },
  params: {
    w: mat('hidden', 'queryFeature'),
    u: mat('hidden', 'keyFeature'),
    f: mat('hidden', 'channels'),
    b: vec('hidden'),
    v: vec('hidden'),
  },
  inputs: { seen: { type: vec('channels'), along: ['batch', 'key'] } },
  score: ({ q, k, params: { w, u, f, b, v }, inputs: { seen } }) =>
    dot(v, tanh(plus(plus(matvec(w, q), matvec(u, k)), plus(matvec(f, seen), b)))),
});

/** beta * score, with a beta for each batch entry. */
const sharpness = defineModifier({
  name: 'sharpness',
  inputs: { sharpness: { type: scalar, along: ['batch'] } },
  modify: ({ score, inputs }) => times(inputs.sharpness, score),
});

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
  const score = byPosition({ positions: w.shape[0] as number });
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
  to.inputs.seen = convolve(inputs.tensor('prev_weights'), inputs.tensor('conv'));
  allowGiven(work, to);
  const [channels] = inputs.shape('conv') as [number];
  const score = sensitive({ hidden: inputs.shape('v')[0] as number, channels });
  const { attend, call } = to.attend({ score, normalizer: softmax() });
  const query = inputs.tensor('query').unsqueeze(1);
  const key = inputs.tensor('key');
  const { context, weights } = attend(query, key, key, { ...call, weights: true });
  const one = (of: Tensor): Tensor => of.squeeze(1);
  return { context: one(context), weights: one(weights), scores: one(attend.scores(query, key, call)) };
}

/** [batch, length] and [channels, width] to [batch, length, channels]; zeros beyond the ends. */
function convolve(rows: Tensor, kernel: Tensor): Tensor {
  const length = rows.shape[1] as number;
  const width = kernel.shape[1] as number;
  const before = Math.floor((width - 1) / 2);
  const padded = pad(rows, [
    [0, 0],
    [before, width - 1 - before],
  ]);
  const windows = stack(
    Array.from({ length: width }, (_, o) => padded.slice(1, o, o + length)),
    { axis: -1 },
  );
  return matmul(windows, kernel, { transposeB: true });
}

function turing({ attributes, inputs }: Work): Outputs {
  const memory = inputs.tensor('memory');
  const to = new Composition();
  to.modifiers.push(sharpness());
  to.inputs.sharpness = inputs.tensor('beta');
  const { attend, call } = to.attend({ score: cosine(), normalizer: softmax() });
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
