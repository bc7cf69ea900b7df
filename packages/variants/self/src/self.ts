// A sequence that attends to itself, in one head.

import { option } from '@heed/attention';
import {
  attended,
  attending,
  defineLayer,
  linear,
  type PartsCall,
  partOptions,
  type Rotary,
  valueOption,
} from '@heed/nn';
import { softmax } from '@heed/normalizers';
import { scaledDot } from '@heed/scores';
import type { Tensor, WeightsRequest } from '@heed/tensor';
import { lower, sequence } from './rows.ts';

/** What goes with the rows of one call. */
export interface SelfCall extends PartsCall {
  /** Asks for the weights, whole or pooled. The context is the same either way. */
  readonly weights?: WeightsRequest;
}

/** What a call gives that asked for weights. */
export interface SelfResult {
  /** [batch, length, out]. */
  readonly context: Tensor;
  /** [batch, query, key], or pooled. */
  readonly weights: Tensor;
}

/** A layer of self-attention, to be called with rows [batch, length, width], or [length, width]. */
export interface SelfAttention {
  (rows: Tensor, call: SelfCall & { readonly weights: true | { readonly pool: number } }): SelfResult;
  (rows: Tensor, call?: SelfCall): Tensor;
}

/**
 * Attention of q = W_q x over k = W_k x with values W_v x, in one head and without a projection of what comes out: [batch, length,
 * width] to [batch, length, out]. Cheng, Dong, Lapata 2016 (arXiv 1601.06733); Vaswani et al. 2017 (arXiv 1706.03762), section 3.2.1. For
 * several heads, caches and memories of other rows see `@heed/multi-head`.
 *
 * Parameters: `query.weight`, `key.weight` [hidden, width], `value.weight` [out, width], Glorot uniform, with biases that start at 0;
 * those of the parts, `attention.w`, ...
 *
 * @throws ShapeError for rows of another width.
 * @example selfAttention(device, { width: 64, mask: causal(), seed: 1 })(rows)
 */
export const selfAttention = defineLayer({
  name: 'self',
  options: {
    /** The width of a row. */
    width: option.integer({ min: 1 }),
    /** The width in which rows are compared; `width` if left out. */
    hidden: option.integer({ min: 1, optional: true }),
    /** The width of what comes out; `width` if left out. */
    out: option.integer({ min: 1, optional: true }),
    /** Whether projections add a trained vector. */
    bias: option.boolean({ default: true }),
    /** Turns queries and keys by their positions: `rotary({ layout: 'halves' })`. */
    rotary: valueOption<Rotary>(
      "rotary positions such as rotary({ layout: 'halves' })",
      (value) => typeof value === 'function' && 'kind' in value && value.kind === 'rotary',
    ),
    ...partOptions,
  },
  make: (options, build) => {
    const { width, hidden = width, out = width, bias, rotary } = options;
    const query = build.add('query', linear, { in: width, out: hidden, bias });
    const key = build.add('key', linear, { in: width, out: hidden, bias });
    const value = build.add('value', linear, { in: width, out, bias });
    const { attend, call: callOf } = attending(
      build,
      'attention',
      {
        score: options.score ?? scaledDot(),
        normalizer: options.normalizer ?? softmax(),
        mask: options.mask ?? [],
        modifiers: options.modifiers ?? [],
        reweight: options.reweight ?? [],
        dropout: options.dropout,
      },
      { heads: 1, sizes: { feature: hidden, queryFeature: hidden, keyFeature: hidden } },
    );
    const turned = (rows: Tensor): Tensor => (rotary ? rotary(rows) : rows);
    return ((rows: Tensor, call: SelfCall = {}) => {
      const { x, batched } = sequence('self', rows, width);
      const { context, weights } = attended(
        attend,
        [turned(query(x)), turned(key(x)), value(x)],
        callOf(call),
        call.weights ?? false,
      );
      const own = lower(context, batched);
      return weights ? { context: own, weights: lower(weights, batched) } : own;
    }) as SelfAttention;
  },
});
