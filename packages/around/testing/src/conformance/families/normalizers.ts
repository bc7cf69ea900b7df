// Families about normalizers: normalize (raw scores in, weights out) and normattn (within attention).

import { attention } from '@heed/attention';
import { scaledDot } from '@heed/scores';
import {
  argmax,
  gt,
  logicalAnd,
  logicalOr,
  logSoftmax,
  mul,
  oneHot,
  type Tensor,
  where,
  zeros,
} from '@heed/tensor';
import { type Attributes, unsupported } from '../attributes.ts';
import type { Family, Work } from '../family.ts';
import { Composition, givenScore, normalizerOf } from './pieces.ts';

/** p = f(logits) along an axis; what is masked gets 0. */
export const normalize: Family = (work) => {
  const { attributes } = work;
  const kind = attributes.text('kind') ?? unsupported('the attribute "kind" is missing');
  return { p: normalized(kind, work) };
};

/** A normalizer by name applied to the input `logits`. */
export function normalized(kind: string, work: Work): Tensor {
  const { attributes, inputs } = work;
  attributes.oneOf('mask', ['bool-true-attend']);
  const given = inputs.tensor('logits');
  const axis = attributes.number('axis', -1);
  const logits = scaled(given, attributes.number('inv_temperature', 1));
  if (kind === 'log_softmax') {
    const mask = inputs.maybe('mask') as Tensor<'bool'> | undefined;
    return logSoftmax(mask ? where(mask, logits, -Infinity) : logits, { axis });
  }
  return alongRows(logits, axis, kind, work);
}

const scaled = (logits: Tensor, by: number): Tensor => (by === 1 ? logits : mul(logits, by));

/** The axes with one moved to the end. */
function axisLast(of: Tensor, axis: number): number[] {
  const at = axis < 0 ? of.rank + axis : axis;
  const others = of.shape.map((_, i) => i).filter((i) => i !== at);
  return [...others, at];
}

/** Normalizes along an axis: everything else is rows. */
function alongRows(logits: Tensor, axis: number, kind: string, { attributes, inputs }: Work): Tensor {
  const order = axisLast(logits, axis);
  const length = logits.shape.at(order.at(-1) as number) as number;
  const rows = (of: Tensor): Tensor => of.permute(order).reshape([-1, length]);
  const mask = inputs.maybe('mask');
  const done = weigh(rows(logits), mask ? rows(mask) : undefined, kind, attributes);
  const back = order.map((_, i) => order.indexOf(i));
  return done.reshape(order.map((i) => logits.shape[i] as number)).permute(back);
}

function weigh(rows: Tensor, mask: Tensor | undefined, kind: string, attributes: Attributes): Tensor {
  const [count, length] = rows.shape as [number, number];
  const to = new Composition();
  to.inputs.logits = rows;
  if (kind === 'topk_softmax') to.allow(topOf(rows, mask, attributes.needed('k')));
  else if (mask) to.allow(mask);
  const { attend, call } = to.attend({ score: givenScore(), normalizer: normalizerOf(kind, attributes) });
  const nothing = (of: number): Tensor => zeros(rows.device, [of, 1], { dtype: rows.dtype });
  return attend(nothing(count), nothing(length), nothing(length), { ...call, weights: true }).weights;
}

/**
 * Which keys of each row have the `count` largest scores: the largest, then the largest of the others, ... A normalizer
 * sees no ranks, so they become a mask, as a sparse attention would keep it.
 */
function topOf(scores: Tensor, mask: Tensor | undefined, count: number): Tensor {
  const length = scores.shape.at(-1) as number;
  let left = scores.detach() as Tensor;
  if (mask) left = where(mask as Tensor<'bool'>, left, -Infinity);
  let top = gt(left, Infinity);
  for (let n = 0; n < count; n++) {
    const first = gt(oneHot(argmax(left, { axis: -1 }), length), 0);
    top = logicalOr(top, logicalAnd(first, gt(left, -Infinity)));
    left = where(first, -Infinity, left);
  }
  return top;
}

/** Dot-product attention with another normalizer. */
export const normalizedAttention: Family = ({ attributes, inputs }) => {
  attributes.oneOf('scale', ['1/sqrt(D)']);
  const kind = attributes.text('normalizer') ?? unsupported('the attribute "normalizer" is missing');
  const [q, k, v] = ['q', 'k', 'v'].map((name) => inputs.tensor(name)) as [Tensor, Tensor, Tensor];
  const to = new Composition();
  const parts = { score: scaledDot(), normalizer: normalizerOf(kind, attributes) };
  if (kind === 'topk_softmax')
    to.allow(topOf(attention(parts).scores(q, k), undefined, attributes.needed('k')));
  const { attend, call } = to.attend(parts);
  const { context, weights } = attend(q, k, v, { ...call, weights: true });
  return { out: context, weights };
};
