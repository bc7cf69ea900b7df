// A whole sequence in one vector, or a few: the queries are parameters.

import { defineScore, option } from '@heed/attention';
import { dot, tanh } from '@heed/expr';
import { attended, attending, defineLayer, initial, linear, type PartsCall, partOptions } from '@heed/nn';
import { softmax } from '@heed/normalizers';
import type { Tensor } from '@heed/tensor';
import { lower, sequence } from './rows.ts';

/** What goes with the rows of one call. */
export interface PoolingCall extends PartsCall {
  /** Asks for the weights: what each row counts for. */
  readonly weights?: boolean;
}

/** What a call gives that asked for weights. */
export interface PoolingResult {
  /** [batch, width], or [batch, query, width] where there are several queries. */
  readonly context: Tensor;
  /** [batch, key], or [batch, query, key]. */
  readonly weights: Tensor;
}

/** A pooling layer, to be called with rows [batch, key, width], or [key, width]. */
export interface Pooling {
  (rows: Tensor, call: PoolingCall & { readonly weights: true }): PoolingResult;
  (rows: Tensor, call?: PoolingCall): Tensor;
}

/** u . tanh(k): the key is projected already. */
const learnedQuery = defineScore({ name: 'learned-query', score: ({ q, k }) => dot(q, tanh(k)) });

const { mask, modifiers, normalizer, reweight, dropout } = partOptions;

/**
 * a = softmax_j(u . tanh(W x_j + b)), sum_j a_j x_j: the vector of a sentence from its words, and with another such layer that of a
 * text from its sentences. Yang et al. 2016, "Hierarchical attention networks for document classification", equations 5 to 7. With
 * several queries and no bias it is the matrix of Lin et al. 2017 (arXiv 1703.03130), equation 6, whose penalty is `overlap`.
 *
 * Parameters: `key.weight` (W) [hidden, width], Glorot uniform, `key.bias` (b), which starts at 0, `query` (u) [queries, hidden], Glorot
 * uniform.
 *
 * @throws ShapeError for rows of another width.
 * @example attentionPooling(device, { width: 64, hidden: 32, seed: 1 })(words)
 */
export const attentionPooling = defineLayer({
  name: 'pooling',
  options: {
    /** The width of a row. */
    width: option.integer({ min: 1 }),
    /** The width in which rows are judged. */
    hidden: option.integer({ min: 1 }),
    /** How many queries there are; one, and no axis for it, if left out. */
    queries: option.integer({ min: 1, optional: true }),
    /** Whether a trained vector is added inside the tanh. */
    bias: option.boolean({ default: true }),
    ...{ mask, modifiers, normalizer, reweight, dropout },
  },
  make: (options, build) => {
    const { width, hidden, queries, bias } = options;
    const key = build.add('key', linear, { in: width, out: hidden, bias });
    const query = build.parameter('query', [queries ?? 1, hidden], initial.glorotUniform());
    const { attend, call: callOf } = attending(
      build,
      'attention',
      {
        score: learnedQuery(),
        normalizer: options.normalizer ?? softmax(),
        mask: options.mask ?? [],
        modifiers: options.modifiers ?? [],
        reweight: options.reweight ?? [],
        dropout: options.dropout,
      },
      { heads: 1, sizes: { feature: hidden, queryFeature: hidden, keyFeature: hidden } },
    );
    return ((rows: Tensor, call: PoolingCall = {}) => {
      const { x, batched } = sequence('pooling', rows, width);
      const { context, weights } = attended(
        attend,
        [query.unsqueeze(0), key(x), x],
        callOf(call),
        call.weights ?? false,
      );
      const own = (of: Tensor) => lower(queries === undefined ? of.squeeze(1) : of, batched);
      return weights ? { context: own(context), weights: own(weights) } : own(context);
    }) as Pooling;
  },
});
