// Attention blocks of Hugging Face transformers: gemma2, llama, t5.

import { causal, softcap, window } from '@heed/masks';
import { multiHead } from '@heed/multi-head';
import { rotary } from '@heed/nn';
import { scaledDot } from '@heed/scores';
import { type Tensor, take } from '@heed/tensor';
import type { Family, Work } from '../family.ts';
import { Composition } from './pieces.ts';
import { buckets } from './position.ts';

export const huggingFace: Family = (work) => {
  const { attributes, inputs } = work;
  const block = attributes.choice('block', ['gemma2', 'llama', 't5']);
  attributes.note('head_dim', 'bias');
  const short = block === 't5';
  const named = (name: string): string => (short ? name : `${name}_proj`);
  const x = inputs.tensor('x');
  const count = attributes.needed('num_heads');
  const rope = attributes.oneOf('rope', ['rotate-half']);
  const base = attributes.number('rope_base', 10000);

  const to = new Composition();
  const cap = attributes.number('softcap', 0);
  if (cap > 0) to.modifiers.push(softcap({ cap }));
  if (attributes.flag('causal')) to.masks.push(causal());
  const reach = attributes.number('window');
  if (reach !== undefined) {
    attributes.choice('window_rule', ['attend iff 0 <= q-k < window']);
    to.masks.push(window({ left: reach - 1, right: 0 }));
  }
  attributes.note('window_rule');
  const position = short ? relativeBias(work, x.shape[1] as number) : null;
  if (position) to.add(position);
  const weights = Object.fromEntries(
    Object.entries({ query: 'q', key: 'k', value: 'v', output: 'o' }).flatMap(([ours, theirs]) => {
      const bias = inputs.maybe(`${named(theirs)}.bias`);
      const weight = [`${ours}.weight`, inputs.tensor(`${named(theirs)}.weight`)] as const;
      return bias ? [weight, [`${ours}.bias`, bias] as const] : [weight];
    }),
  );
  const layer = multiHead(work.device, {
    width: x.shape.at(-1) as number,
    heads: count,
    keyHeads: attributes.number('num_kv_heads', count),
    headWidth: (inputs.shape(`${named('q')}.weight`)[0] as number) / count,
    bias: 'query.bias' in weights,
    ...(rope ? { rotary: rotary({ layout: 'halves', base }) } : {}),
    score: scaledDot({ scale: attributes.needed('scale') }),
    mask: to.masks,
    modifiers: to.modifiers,
    parameters: weights,
  });
  const result = layer(x, { inputs: to.inputs, weights: true });
  return {
    out: result.output,
    weights: result.weights,
    ...(position ? { position_bias: position } : {}),
  };
};

/** T5's bias by bucketed distance: [1, head, query, key]. */
const relativeBias = (work: Work, length: number): Tensor =>
  take(work.inputs.tensor('relative_attention_bias.weight'), buckets(work, length, length))
    .permute([2, 0, 1])
    .unsqueeze(0);
