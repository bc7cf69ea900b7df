// A sequence that attends to itself, in one head.

import { type AttentionOptions, option } from '@heed/attention';
import {
  attended,
  attending,
  defineLayer,
  type Given,
  type KeyValueCache,
  lengthsFor,
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
  /** The rows before these: keys and values are added to it, and the cache after this call is returned. */
  readonly cache?: KeyValueCache;
}

/** What a call gives that asked for weights, or brought a cache. */
export interface SelfResult {
  /** [batch, length, out]. */
  readonly context: Tensor;
  /** [batch, query, key], or pooled. */
  readonly weights?: Tensor;
  readonly cache?: KeyValueCache;
}

/** The context alone, or with what was asked for. */
export type SelfGiven<C> = Given<C, SelfResult>;

/** A layer of self-attention, to be called with rows [batch, length, width], or [length, width]. */
export type SelfAttention = <const C extends SelfCall = {}>(rows: Tensor, call?: C) => SelfGiven<C>;

/**
 * Attention of q = W_q x over k = W_k x with values W_v x, in one head and without a projection of what comes out: [batch, length,
 * width] to [batch, length, out]. Cheng, Dong, Lapata 2016 (arXiv 1601.06733); Vaswani et al. 2017 (arXiv 1706.03762), section 3.2.1. For
 * several heads and memories of other rows see `@heed/multi-head`. With a cache, masks that compare positions need `align: 'end'`.
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
    const parts: AttentionOptions = {
      score: options.score ?? scaledDot(),
      normalizer: options.normalizer ?? softmax(),
      mask: options.mask ?? [],
      modifiers: options.modifiers ?? [],
      reweight: options.reweight ?? [],
      dropout: options.dropout,
    };
    const { attend, call: callOf } = attending(build, 'attention', parts, {
      heads: 1,
      sizes: { feature: hidden, queryFeature: hidden, keyFeature: hidden },
    });
    const lengthsOf = lengthsFor('self', build.device, parts);
    return ((rows: Tensor, call: SelfCall = {}) => {
      const { x, batched } = sequence('self', rows, width);
      const { cache } = call;
      // The first row stands where the cache ends.
      const places = cache?.places(x.shape[1] as number) ?? {};
      const headOf = (of: Tensor): Tensor => of.unsqueeze(1);
      const turned = (of: Tensor): Tensor => (rotary ? rotary(headOf(of), places) : headOf(of));
      const fresh = { key: turned(key(x)), value: headOf(value(x)) };
      const known = cache ? cache.add(fresh.key, fresh.value) : { ...fresh, lengths: null, cache: null };
      try {
        const { context, weights } = attended(
          attend,
          [turned(query(x)), known.key, known.value],
          callOf({ ...call, inputs: { ...call.inputs, ...lengthsOf(known.lengths) } }),
          call.weights ?? false,
        );
        const own = (of: Tensor): Tensor => lower(of.squeeze(1), batched);
        if (!weights && !cache) return own(context);
        return {
          context: own(context),
          ...(weights ? { weights: own(weights) } : {}),
          ...(known.cache ? { cache: known.cache } : {}),
        };
      } catch (problem) {
        // A cache that nobody will see.
        known.cache?.dispose();
        throw problem;
      }
    }) as SelfAttention;
  },
});
