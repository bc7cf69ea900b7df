// A penalty that grows with the distance.

import { defineModifier, option } from '@heed/attention';
import {
  abs,
  add,
  div,
  type Expr,
  exp,
  ge,
  type Index,
  lt,
  mul,
  type Scalar,
  scalar,
  select,
  sub,
} from '@heed/expr';
import { alignment, position } from '../alignment.ts';

/**
 * score - slope[head] * (query - key). Press, Smith, Lewis 2022 (ALiBi, arXiv 2108.12409), section 3, with its slopes
 * 2^(-8 (head + 1) / heads), or with slopes that are given. For heads that are no power of two the paper's code has others,
 * `slope: 'interleaved'`: those of the power of two below, then every second one of the power above.
 *
 * `distance: 'absolute'` takes |query - key|, for attention that looks both ways. Alignment is as for the mask `causal`.
 *
 * Side input, with `slope: 'given'`: `slopes` [head], floats; its gradient is there for the asking. `alibiSlopes(heads)`
 * are the interleaved ones, to start from.
 *
 * @throws ShapeError at a call whose number of heads is no power of two where `slope` was not chosen: the paper's formula
 *   and its code differ there.
 * @example attention({ score: scaledDot(), modifiers: [alibi()], mask: causal(), normalizer: softmax() })
 */
export const alibi = defineModifier({
  name: 'alibi',
  ...alignment,
  options: {
    ...alignment.options,
    /** The geometric sequence of the paper, that of its code for any number of heads, or the side input `slopes`. */
    slope: option.oneOf('geometric', 'interleaved', 'given'),
    /** Whether keys after the query gain what keys before it lose, or lose as well. */
    distance: option.oneOf('signed', 'absolute'),
  },
  inputs: { ...alignment.inputs, slopes: { type: scalar, along: ['head'] } },
  refuse: (lengths, options, uniforms) =>
    options.slope === 'geometric' && !Number.isInteger(Math.log2(lengths.heads))
      ? `for ${lengths.heads} heads, no power of two, the paper's formula and its code give different slopes. Say alibi({ slope: 'interleaved' }) ` +
        `for those of the code, or give your own: alibi({ slope: 'given' }) with inputs.slopes [${lengths.heads}].`
      : alignment.refuse(lengths, options, uniforms),
  modify: (at, options) => {
    const { score, head, heads, key, inputs } = at;
    const slope = {
      geometric: () => power(div(add(head, 1), heads)),
      interleaved: () => interleaved(head, heads),
      given: () => inputs.slopes,
    }[options.slope]();
    const away = sub(position(at, options), key);
    return sub(score, mul(slope, options.distance === 'absolute' ? abs(away) : away));
  },
});

/** 2^(-8 step). */
const power = (step: Expr<Scalar>): Expr<Scalar> => exp(mul(step, -8 * Math.LN2));

/** The slopes of `alibiSlopes`, as an expression of any number of heads below 2^16. */
function interleaved(head: Expr<Index>, heads: Expr<Index>): Expr<Scalar> {
  let below: Expr<Index> = select(ge(heads, 2), 2, select(ge(heads, 1), 1, heads));
  for (let one = 4; one < 2 ** 16; one *= 2) below = select(ge(heads, one), one, below) as Expr<Index>;
  const first = div(add(head, 1), below);
  const second = div(add(mul(2, sub(head, below)), 1), mul(2, below));
  return power(select(lt(head, below), first, second));
}

/**
 * The slopes of ALiBi's published code, one for each head: the geometric sequence for the power of two below, then every
 * second slope of the next power of two.
 */
export function alibiSlopes(heads: number): number[] {
  const below = 2 ** Math.floor(Math.log2(heads));
  return Array.from({ length: heads }, (_, head) =>
    head < below ? 2 ** ((-8 * (head + 1)) / below) : 2 ** ((-8 * (2 * (head - below) + 1)) / (2 * below)),
  );
}
