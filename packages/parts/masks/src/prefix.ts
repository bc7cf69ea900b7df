// A prefix for everyone, and the past for each.

import { defineMask } from '@heed/attention';
import { index, le, lt, or } from '@heed/expr';
import { alignment, position } from './alignment.ts';

/**
 * key < prefixLengths[batch], or key <= query: every query sees the prefix, and beyond it no query sees what comes
 * after it. The prefix LM of Raffel et al. 2020 (T5, arXiv 1910.10683), section 3.2.1; FlexAttention's `prefix_lm`.
 *
 * Side input: `prefixLengths` [batch], ints; [1] for all batches. Alignment is as for `causal`.
 *
 * @throws ShapeError at a call whose lengths differ where neither `align` nor `offset` was given.
 * @example prefix({ align: 'end' })
 */
export const prefix = defineMask({
  name: 'prefix',
  ...alignment,
  inputs: { ...alignment.inputs, prefixLengths: { type: index, along: ['batch'] } },
  allowed: (at, options) => or(lt(at.key, at.inputs.prefixLengths), le(at.key, position(at, options))),
});
