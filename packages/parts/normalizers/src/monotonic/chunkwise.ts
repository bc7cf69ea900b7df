// A softmax over the few keys up to where a monotonic alignment stopped.

import { add, exp, logsumexp, mul, pad, stack, sub, type Tensor, ValueError } from '@heed/tensor';
import { shifted } from './scan.ts';

/**
 * Monotonic chunkwise attention: each alignment is spread over the `width` keys that end at it, by a softmax of scores of their
 * own: w_j = sum over k from j to j + width - 1 of a_k exp(u_j) / (sum over l from k - width + 1 to k of exp(u_l)). Chiu,
 * Raffel 2018 (MoChA, arXiv 1712.05382), equation 23. The softmax of each chunk is of its own scores, so that none is too
 * large or too small.
 *
 * @param alignments of `monotonicAlignments`, [..., key].
 * @param scores of the chunks, [..., key].
 * @returns weights [..., key], which sum to what the alignments sum to.
 * @throws ValueError for a width that is no whole number of at least 1.
 */
export function chunkwise(alignments: Tensor, scores: Tensor, { width }: { readonly width: number }): Tensor {
  if (!Number.isSafeInteger(width) || width < 1)
    throw new ValueError(`chunkwise: width expects a whole number of at least 1, got ${String(width)}.`);
  const over = Array.from({ length: width }, (_, n) => n);
  const chunks = over.map((n) => shifted(scores, n, -Infinity));
  const totals = logsumexp(stack(chunks, { axis: -1 }), { axis: -1 });
  return over
    .map((n) => mul(ahead(alignments, n, 0), exp(sub(scores, ahead(totals, n, Infinity)))))
    .reduce((a, b) => add(a, b));
}

/** Moved by so many places towards the beginning, with `fill` after the last. */
function ahead(of: Tensor, by: number, fill: number): Tensor {
  const length = of.shape.at(-1) as number;
  const kept = of.slice(-1, Math.min(by, length), length);
  return pad(
    kept,
    kept.shape.map((_, axis) => [0, axis === kept.rank - 1 ? Math.min(by, length) : 0] as const),
    fill,
  );
}
