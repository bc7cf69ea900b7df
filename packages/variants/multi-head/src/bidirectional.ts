// A text read with a question in mind, and the question with the text in mind.

import { option } from '@heed/attention';
import { defineLayer, partOptions } from '@heed/nn';
import { hard, softmax } from '@heed/normalizers';
import { dot, trilinear } from '@heed/scores';
import { add, concat, matmul, mul, ones, sum, type Tensor } from '@heed/tensor';
import { paddedAttention } from './padded.ts';
import { batched, lowered } from './rows.ts';

/** What goes with the sequences of one call. */
export interface BidirectionalCall {
  /** How many rows of each batch entry are there: int32 [batch]. All, if left out. */
  readonly lengths?: { readonly context?: Tensor; readonly query?: Tensor };
  /** Asks for the weights of both directions. */
  readonly weights?: boolean;
}

/** What a call gives that asked for weights. */
export interface BidirectionalResult {
  /** [batch, row, 4 width]. */
  readonly output: Tensor;
  readonly weights: {
    /** What each row of the context looks at in the query, [batch, row, query]. */
    readonly toQuery: Tensor;
    /** What the query as a whole looks at in the context, [batch, row]. */
    readonly toContext: Tensor;
  };
}

/** A layer of attention in two directions, to be called with sequences [batch, row, width], or [row, width]. */
export interface Bidirectional {
  (context: Tensor, query: Tensor, call: BidirectionalCall & { readonly weights: true }): BidirectionalResult;
  (context: Tensor, query: Tensor, call?: BidirectionalCall): Tensor;
}

/**
 * S_tj = w . [h_t; u_j; h_t * u_j]; u~_t = sum_j softmax_j(S_tj) u_j; h~ = sum_t softmax_t(max_j S_tj) h_t; and out comes [h_t; u~_t;
 * h_t * u~_t; h_t * h~] for each row h_t of the context. Seo, Kembhavi, Farhadi, Hajishirzi 2017 (BiDAF, arXiv 1611.01603), section 2,
 * "attention flow layer", equations 1 to 4 with the paper's simple beta.
 *
 * S is never stored: hard attention finds the row of the query where it is largest, and max_j S_tj is made anew from the two rows.
 * So the gradient of the maximum goes to the first of equal ones.
 *
 * Parameters: `attention.wq`, `attention.wk`, `attention.wqk` [width], the three parts of w, for h, u and h * u, normal with deviation
 * 1 / sqrt(width).
 *
 * @throws ShapeError for rows of another width.
 * @example bidirectionalAttention(device, { width: 64, seed: 1 })(paragraph, question)
 */
export const bidirectionalAttention = defineLayer({
  name: 'bidirectional',
  options: {
    /** The width of a row of either sequence. */
    width: option.integer({ min: 1 }),
    /** How scores become weights, in both directions: softmax() if left out. */
    normalizer: partOptions.normalizer,
  },
  make: ({ width, normalizer = softmax() }, build) => {
    const score = trilinear();
    const params = build.parts('attention', [score], {
      sizes: { feature: width, queryFeature: width, keyFeature: width },
    });
    const { wq, wk, wqk } = params as Readonly<Record<'wq' | 'wk' | 'wqk', Tensor>>;
    const toQuery = paddedAttention({ score, normalizer });
    const nearest = paddedAttention({ score, normalizer: hard() });
    const toContext = paddedAttention({ score: dot(), normalizer });

    return ((context: Tensor, query: Tensor, call: BidirectionalCall = {}) => {
      const given = batched('bidirectional', 'context', context, width);
      const [h, u] = [given.rows, batched('bidirectional', 'query', query, width).rows];
      const { lengths = {} } = call;

      const there = toQuery(lengths.query, { params });
      const found = there.attend(h, u, u, { ...there.call, weights: true });

      const most = nearest(lengths.query, { params });
      const peak = most.attend(h, u, u, most.call);
      // trilinear of h and the row where it is largest, [batch, row, 1].
      const score = add(
        add(matmul(h, wq), matmul(peak, wk)),
        sum(mul(mul(h, wqk), peak), { axis: -1 }),
      ).unsqueeze(-1);
      const back = toContext(lengths.context);
      const whole = back.attend(ones(h.device, [1, 1, 1], { dtype: h.dtype }), score, h, {
        ...back.call,
        weights: true,
      });

      const output = lowered(
        concat([h, found.context, mul(h, found.context), mul(h, whole.context)], { axis: -1 }),
        given.batched,
      );
      if (!call.weights) return output;
      return {
        output,
        weights: {
          toQuery: lowered(found.weights, given.batched),
          toContext: lowered(whole.weights.squeeze(1), given.batched),
        },
      };
    }) as Bidirectional;
  },
});
