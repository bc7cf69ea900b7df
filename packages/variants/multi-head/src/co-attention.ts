// Two sequences that look at each other: each is summed up with an eye on the other.

import { defineScore, option } from '@heed/attention';
import { dot as dotOf, tanh as tanhOf } from '@heed/expr';
import { defineLayer, initial, linear, partOptions } from '@heed/nn';
import { identity, softmax } from '@heed/normalizers';
import { dot } from '@heed/scores';
import { add, type Tensor, tanh } from '@heed/tensor';
import { type Lengths, paddedAttention } from './padded.ts';
import { batched, lowered } from './rows.ts';

/** What goes with the sequences of one call. */
export interface CoAttentionCall {
  /** How many rows of each batch entry are there: int32 [batch]. All, if left out. */
  readonly lengths?: { readonly first?: Tensor; readonly second?: Tensor };
  /** Asks for the weights. */
  readonly weights?: boolean;
}

/** One thing for each of the two sequences. */
export interface CoAttended {
  /** [batch, firstWidth], or [batch, row] of weights. */
  readonly first: Tensor;
  /** [batch, secondWidth], or [batch, row] of weights. */
  readonly second: Tensor;
}

/** A layer of co-attention, to be called with two sequences [batch, row, width], or [row, width]. */
export interface CoAttention {
  (
    first: Tensor,
    second: Tensor,
    call: CoAttentionCall & { readonly weights: true },
  ): CoAttended & { readonly weights: CoAttended };
  (first: Tensor, second: Tensor, call?: CoAttentionCall): CoAttended;
}

/** An entry of the affinity matrix: both rows are of one width already. */
const affinity = defineScore({ name: 'affinity', score: ({ q, k }) => tanhOf(dotOf(q, k)) });

/**
 * C = tanh(Qᵀ W_b V), H_v = tanh(W_v V + (W_q Q) C), H_q = tanh(W_q Q + (W_v V) Cᵀ), a_v = softmax(w_hvᵀ H_v), and v = sum a_v V; for Q
 * likewise. Lu, Yang, Batra, Parikh 2016, "Hierarchical question-image co-attention" (arXiv 1606.00061), section 3.3, "parallel
 * co-attention", equations 3 to 5. V are the rows of `first`, Q those of `second`.
 *
 * To the operator (W_q Q) C is an attention of V over Q whose weights are the entries of C themselves, so the affinity matrix is
 * never stored, and rows beyond a length have no part in it.
 *
 * Parameters: `affinity.weight` (W_b, transposed) [firstWidth, secondWidth], `first.weight` (W_v) [hidden, firstWidth],
 * `second.weight` (W_q) [hidden, secondWidth], `first.query` (w_hv), `second.query` (w_hq) [1, hidden]; Glorot uniform (the paper does
 * not say).
 *
 * For rows of one sequence, each with what it finds in the other, take `multiHead(...)(first, second)`, or, for reading with a
 * question in mind, `bidirectionalAttention`.
 *
 * @throws ShapeError for rows of another width.
 * @example coAttention(device, { firstWidth: 64, secondWidth: 32, hidden: 48, seed: 1 })(regions, words)
 */
export const coAttention = defineLayer({
  name: 'co-attention',
  options: {
    /** The width of a row of the first sequence. */
    firstWidth: option.integer({ min: 1 }),
    /** The width of a row of the second sequence; `firstWidth` if left out. */
    secondWidth: option.integer({ min: 1, optional: true }),
    /** The width in which rows are judged. */
    hidden: option.integer({ min: 1 }),
    /** How the judgements of a sequence become its weights: softmax() if left out. */
    normalizer: partOptions.normalizer,
  },
  make: (options, build) => {
    const { firstWidth, secondWidth = firstWidth, hidden, normalizer = softmax() } = options;
    const toFirst = build.add('affinity', linear, { in: secondWidth, out: firstWidth, bias: false });
    const project = {
      first: build.add('first', linear, { in: firstWidth, out: hidden, bias: false }),
      second: build.add('second', linear, { in: secondWidth, out: hidden, bias: false }),
    };
    const query = {
      first: build.parameter('first.query', [1, hidden], initial.glorotUniform()),
      second: build.parameter('second.query', [1, hidden], initial.glorotUniform()),
    };
    const across = paddedAttention({ score: affinity(), normalizer: identity() });
    const pool = paddedAttention({ score: dot(), normalizer });

    const mixed = (
      rows: readonly [asking: Tensor, asked: Tensor, value: Tensor],
      lengths: Lengths,
    ): Tensor => {
      const { attend, call } = across(lengths);
      return attend(...rows, call);
    };
    const summed = (by: Tensor, judged: Tensor, rows: Tensor, lengths: Lengths) => {
      const { attend, call } = pool(lengths);
      const { context, weights } = attend(by.unsqueeze(0), judged, rows, { ...call, weights: true });
      return { context: context.squeeze(1), weights: weights.squeeze(1) };
    };

    return ((first: Tensor, second: Tensor, call: CoAttentionCall = {}) => {
      const v = batched('co-attention', 'first', first, firstWidth);
      const q = batched('co-attention', 'second', second, secondWidth);
      const { lengths = {} } = call;
      const near = toFirst(q.rows);
      const [ofV, ofQ] = [project.first(v.rows), project.second(q.rows)];
      const judgedV = tanh(add(ofV, mixed([v.rows, near, ofQ], lengths.second)));
      const judgedQ = tanh(add(ofQ, mixed([near, v.rows, ofV], lengths.first)));
      const a = summed(query.first, judgedV, v.rows, lengths.first);
      const b = summed(query.second, judgedQ, q.rows, lengths.second);
      const both = (of: 'context' | 'weights'): CoAttended => ({
        first: lowered(a[of], v.batched),
        second: lowered(b[of], q.batched),
      });
      return call.weights ? { ...both('context'), weights: both('weights') } : both('context');
    }) as CoAttention;
  },
});
