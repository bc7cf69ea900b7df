// A penalty that grows with the distance.

import { defineModifier, option } from '@heed/attention';
import { abs, add, div, exp, mul, scalar, sub } from '@heed/expr';
import { alignment, position } from '../alignment.ts';

/**
 * score - slope[head] * (query - key). Press, Smith, Lewis 2022 (ALiBi, arXiv 2108.12409), section 3, with its slopes
 * 2^(-8 (head + 1) / heads), or with slopes that are given.
 *
 * `distance: 'absolute'` takes |query - key|, for attention that looks both ways. Alignment is as for the mask `causal`.
 *
 * Side input, with `slope: 'given'`: `slopes` [head], floats; its gradient is there for the asking. `alibiSlopes(heads)`
 * has those of the paper's code for any number of heads.
 *
 * @throws ShapeError at a call whose number of heads is no power of two, unless slopes are given: the paper's formula
 *   and its code differ there.
 * @example attention({ score: scaledDot(), modifiers: [alibi()], mask: causal(), normalizer: softmax() })
 */
export const alibi = defineModifier({
  name: 'alibi',
  ...alignment,
  options: {
    ...alignment.options,
    /** The paper's geometric sequence, or the side input `slopes`. */
    slope: option.oneOf('geometric', 'given'),
    /** Whether keys after the query gain what keys before it lose, or lose as well. */
    distance: option.oneOf('signed', 'absolute'),
  },
  inputs: { ...alignment.inputs, slopes: { type: scalar, along: ['head'] } },
  refuse: (lengths, options, uniforms) =>
    options.slope === 'geometric' && !Number.isInteger(Math.log2(lengths.heads))
      ? `for ${lengths.heads} heads, no power of two, the paper's formula and its code give different slopes. Give them: ` +
        `alibi({ slope: 'given' }) with inputs.slopes made from alibiSlopes(${lengths.heads}), which are the code's.`
      : alignment.refuse(lengths, options, uniforms),
  modify: (at, options) => {
    const { score, head, heads, key, inputs } = at;
    const slope =
      options.slope === 'given' ? inputs.slopes : exp(mul(div(add(head, 1), heads), -8 * Math.LN2));
    const away = sub(position(at, options), key);
    return sub(score, mul(slope, options.distance === 'absolute' ? abs(away) : away));
  },
});

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
