// Keras layers: Attention, AdditiveAttention, MultiHeadAttention, GroupQueryAttention.

import { defineScore, type Score } from '@heed/attention';
import { add as plus, dot as product, scalar, tanh, mul as times, sum as total, vec } from '@heed/expr';
import { causal, learnedScale } from '@heed/masks';
import { fromKeras, multiHead as layerOf } from '@heed/multi-head';
import { softmax } from '@heed/normalizers';
import { dot } from '@heed/scores';
import { cast, mul, type Tensor } from '@heed/tensor';
import type { Family, Outputs, Work } from '../family.ts';
import { Composition } from './pieces.ts';

/** concat_score_weight * sum tanh(scale (q + k)); Keras calls it "concat". */
const summed = defineScore({
  name: 'keras-concat',
  params: { scale: scalar, factor: scalar },
  score: ({ q, k, params: { scale, factor } }) => times(factor, total(tanh(times(scale, plus(q, k))))),
});

/** As `summed`, without a scale. */
const unscaled = defineScore({
  name: 'keras-concat-unscaled',
  params: { factor: scalar },
  score: ({ q, k, params: { factor } }) => times(factor, total(tanh(plus(q, k)))),
});

/** sum of scale * tanh(q + k). */
const weighed = defineScore({
  name: 'keras-additive',
  params: { scale: vec('feature') },
  score: ({ q, k, params: { scale } }) => product(scale, tanh(plus(q, k))),
});

/** sum of tanh(q + k). */
const bare = defineScore({ name: 'keras-additive-bare', score: ({ q, k }) => total(tanh(plus(q, k))) });

export const keras: Family = (work) => {
  const { attributes } = work;
  attributes.note('op', 'self_attention', 'masks');
  switch (
    attributes.choice('layer', [
      'Attention',
      'AdditiveAttention',
      'MultiHeadAttention',
      'GroupQueryAttention',
    ])
  ) {
    case 'Attention':
    case 'AdditiveAttention':
      return simple(work);
    case 'MultiHeadAttention':
    case 'GroupQueryAttention':
      return multiHead(work);
  }
};

interface Rows {
  readonly query: Tensor;
  readonly key: Tensor;
  readonly value: Tensor;
}

function rowsOf({ inputs }: Work): Rows {
  const query = inputs.maybe('x') ?? inputs.tensor('query');
  const value = inputs.maybe('x') ?? inputs.tensor('value');
  return { query, value, key: inputs.maybe('key') ?? value };
}

function addMasks({ attributes, inputs }: Work, to: Composition): void {
  if (attributes.flag('use_causal_mask')) to.masks.push(causal({ align: 'start' }));
  const mask =
    inputs.maybe('value_mask')?.unsqueeze(1).unsqueeze(1) ?? inputs.maybe('attention_mask')?.unsqueeze(1);
  if (mask) to.allow(mask);
}

function simple(work: Work): Outputs {
  const { inputs } = work;
  const to = new Composition();
  const score = scoreOf(work, to);
  addMasks(work, to);
  const { attend, call } = to.attend({ score, normalizer: softmax() });
  const { query, key, value } = rowsOf(work);
  const { context, weights } = attend(query, key, value, { ...call, weights: true });
  const queryMask = inputs.maybe('query_mask');
  const out = queryMask ? mul(context, cast(queryMask, context.dtype).unsqueeze(-1)) : context;
  return { out, weights };
}

function scoreOf({ attributes, inputs }: Work, to: Composition): Score {
  const single = (name: string): Tensor => inputs.tensor(name).reshape([]);
  const scaled = attributes.flag('use_scale', inputs.has('scale'));
  if (attributes.text('layer') === 'AdditiveAttention') {
    if (!scaled) return bare();
    to.params.scale = inputs.tensor('scale');
    return weighed();
  }
  if (attributes.oneOf('score_mode', ['dot', 'concat']) === 'concat') {
    to.params.factor = single('concat_score_weight');
    if (!scaled) return unscaled();
    to.params.scale = single('scale');
    return summed();
  }
  if (scaled) {
    to.modifiers.push(learnedScale());
    to.params.scale = single('scale');
  }
  return dot();
}

function multiHead(work: Work): Outputs {
  const { attributes, inputs } = work;
  // The kernels say as much.
  attributes.note(
    'num_heads',
    'num_key_value_heads',
    'num_query_heads',
    'key_dim',
    'value_dim',
    'head_dim',
    'use_bias',
  );
  const to = new Composition();
  addMasks(work, to);
  const { query, key, value } = rowsOf(work);
  const kernelOf = (name: string): readonly number[] => inputs.shape(`${name}/kernel`);
  const [width, heads, headWidth] = kernelOf('query') as [number, number, number];
  const [valueWidth, keyHeads, valueHeadWidth] = kernelOf('value') as [number, number, number];
  const names = inputs.names.filter((name) => /\/(kernel|bias)$/.test(name));
  const layer = layerOf(work.device, {
    width,
    heads,
    headWidth,
    keyHeads,
    keyWidth: kernelOf('key')[0] as number,
    valueWidth,
    valueHeadWidth,
    out: kernelOf('attention_output')[2] as number,
    bias: inputs.has('query/bias'),
    mask: to.masks,
    parameters: fromKeras(Object.fromEntries(names.map((name) => [name, inputs.tensor(name)]))),
  });
  const { output, weights } = layer(query, key, value, { inputs: to.inputs, weights: true });
  return { out: output, weights };
}
