// Families whose score is a scaled dot product: sdpa, jax, and flex with its list of modifications.

import { defineModifier, type Modifier } from '@heed/attention';
import { add, mul, sub } from '@heed/expr';
import {
  alibi,
  causal,
  dilated,
  document,
  padding,
  prefix,
  queryPadding,
  relativeTable,
  softcap,
  window,
} from '@heed/masks';
import { softmax } from '@heed/normalizers';
import { scaledDot } from '@heed/scores';
import { full, type Tensor } from '@heed/tensor';
import { type Attributes, unsupported } from '../attributes.ts';
import type { Family, Inputs, Work } from '../family.ts';
import { Composition } from './pieces.ts';

const start = { align: 'start' } as const;

const scaledBy = (attributes: Attributes) => {
  const scale = attributes.number('scale');
  return scaledDot(scale === undefined ? {} : { scale });
};

const rows = (inputs: Inputs): [Tensor, Tensor, Tensor] => [
  inputs.tensor('q'),
  inputs.tensor('k'),
  inputs.tensor('v'),
];

/** A mask for rows of any rank, seen as [batch, head, query, key]. */
const withHead = (mask: Tensor, rank: number): Tensor =>
  rank === 3 && mask.rank === 3 ? mask.unsqueeze(1) : mask;

/** softmax(scale q k^T + mask) v. */
export const sdpa: Family = ({ attributes, inputs }) => {
  attributes.note('enable_gqa');
  const [q, k, v] = rows(inputs);
  const to = new Composition();
  const side = attributes.oneOf('causal', ['top-left', 'bottom-right']);
  const align = side === 'bottom-right' ? 'end' : 'start';
  if (side) to.masks.push(causal({ align }));
  const reach = attributes.number('window');
  if (reach !== undefined) {
    // The rules that the data knows; another would be another window.
    attributes.oneOf('window_rule', ['attend iff 0 <= i-j <= window']);
    to.masks.push(window({ align, left: reach, right: 0 }));
  }
  const polarity = attributes.oneOf('mask', ['bool-true-attend', 'additive']);
  const mask = inputs.maybe('attn_mask');
  if (mask && polarity === 'additive') to.add(withHead(mask, q.rank));
  else if (mask) to.allow(withHead(mask, q.rank));
  const { attend, call } = to.attend({ score: scaledBy(attributes), normalizer: softmax() });
  return { out: attend(q, k, v, call) };
};

/** jax.nn.dot_product_attention: [batch, length, head, feature]. */
export const jax: Family = ({ attributes, inputs }) => {
  attributes.choice('layout', ['BTNH']);
  const turned = (of: Tensor): Tensor => of.permute([0, 2, 1, 3]);
  const [q, k, v] = rows(inputs).map(turned) as [Tensor, Tensor, Tensor];
  const to = new Composition();
  if (attributes.flag('is_causal')) to.masks.push(causal(start));
  const reach = attributes.numbers('local_window_size');
  if (reach) to.masks.push(window({ ...start, left: reach[0] as number, right: reach[1] as number }));
  if (inputs.has('bias')) to.add(inputs.tensor('bias'));
  if (inputs.has('mask')) to.allow(inputs.tensor('mask'));
  if (inputs.has('key_value_seq_lengths')) {
    to.masks.push(padding());
    to.inputs.lengths = inputs.tensor('key_value_seq_lengths');
  }
  if (inputs.has('query_seq_lengths')) {
    to.masks.push(queryPadding());
    to.inputs.queryLengths = inputs.tensor('query_seq_lengths');
  }
  const { attend, call } = to.attend({ score: scaledBy(attributes), normalizer: softmax() });
  return { out: turned(attend(q, k, v, call)) };
};

/** s + coefficient (query - key): ALiBi of the other sign, and no parameter. */
const lean = defineModifier({
  name: 'lean',
  uniforms: { coefficient: 1 },
  modify: ({ score, query, key, uniforms: { coefficient } }) => add(score, mul(coefficient, sub(query, key))),
});

/** s + a constant. */
const lift = defineModifier({
  name: 'lift',
  uniforms: { constant: 0 },
  modify: ({ score, uniforms: { constant } }) => add(score, constant),
});

/** Score modifications in their order; those that block are masks. */
export const flex: Family = (work) => {
  const { attributes, inputs } = work;
  attributes.note('enable_gqa');
  const [q, k, v] = rows(inputs);
  const to = new Composition();
  for (const modification of attributes.list('score_mods')) modify(modification, work, to, q);
  const { attend, call } = to.attend({ score: scaledBy(attributes), normalizer: softmax() });
  const { context, weights, level } = attend(q, k, v, { ...call, weights: true, level: true });
  return { out: context, weights, lse: level as Tensor };
};

const modifications = [
  'causal',
  'alibi',
  'softcap',
  'tanh',
  'q_minus_k',
  'add_q_minus_k',
  'add_constant',
  'distance',
  'rel_table',
  'document',
  'sliding_causal',
  'sliding_symmetric',
  'prefix_lm',
  'dilated',
] as const;

/** Adds one modification. */
export function modify(of: Attributes, { inputs, device }: Work, to: Composition, q: Tensor): void {
  const named = (attribute: string): Tensor =>
    inputs.tensor(of.text(attribute) ?? unsupported(`"${attribute}" names no input`));
  const push = (modifier: Modifier): void => {
    if (to.modifiers.some(({ part }) => part === modifier.part)) {
      unsupported(`two modifiers ${modifier.part} in one attention: they share the names of their knobs`);
    }
    to.modifiers.push(modifier);
  };
  const slopes = (tensor: Tensor): void => {
    to.inputs.slopes = tensor;
  };
  switch (of.choice('kind', modifications)) {
    case 'causal':
      to.masks.push(causal(start));
      return;
    case 'alibi':
      slopes(named('slopes'));
      push(alibi({ ...start, slope: 'given' }));
      return;
    case 'softcap':
      push(softcap({ cap: of.needed('cap') }));
      return;
    case 'tanh':
      push(softcap({ cap: 1 }));
      return;
    case 'q_minus_k':
    case 'add_q_minus_k':
      push(lean({ coefficient: of.number('coef', 1) }));
      return;
    case 'add_constant':
      push(lift({ constant: of.needed('value') }));
      return;
    case 'distance':
      slopes(full(device, [q.shape.at(-3) ?? 1], of.needed('coef'), { dtype: q.dtype }));
      push(alibi({ ...start, slope: 'given', distance: 'absolute' }));
      return;
    case 'rel_table':
      to.params.relative = named('table');
      push(relativeTable({ ...start, max: of.needed('max_distance') }));
      return;
    case 'document':
      to.inputs.queryDocuments = to.inputs.keyDocuments = named('ids');
      to.masks.push(document());
      return;
    case 'sliding_causal':
      to.masks.push(window({ ...start, left: of.needed('window'), right: 0 }));
      return;
    case 'sliding_symmetric':
      to.masks.push(window({ ...start, left: of.needed('window'), right: of.needed('window') }));
      return;
    case 'prefix_lm':
      to.inputs.prefixLengths = named('lengths');
      to.masks.push(prefix(start));
      return;
    case 'dilated':
      to.masks.push(dilated({ ...start, stride: of.needed('stride') }));
      return;
  }
}
