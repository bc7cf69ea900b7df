// Alignments that move forward alone: each step begins where the one before ended.

import {
  add,
  cast,
  clamp,
  div,
  type FloatDType,
  gt,
  mul,
  normal,
  oneHot,
  ShapeError,
  scope,
  sigmoid,
  stack,
  sub,
  type Tensor,
  ValueError,
  zeros,
} from '@heed/tensor';
import { productsBefore, recurrence, shifted, sums } from './scan.ts';

/** How a step's alignment is found. */
export type MonotonicMode = 'recursive' | 'parallel';

/**
 * The alignment of one step from that of the step before. A decoder looks at the keys from where it stopped on, and stops at
 * each with its probability: a_j = p_j q_j, with q_j = (1 - p_(j-1)) q_(j-1) + previous_j. Raffel et al. 2017 (arXiv
 * 1704.00784), equations 8 and 9. What passes the last key is lost: an alignment sums to at most one.
 *
 * `'recursive'` is that recursion, in as many tensor operations as the number of keys has bits. `'parallel'` is the paper's
 * closed form, p cumprod(1 - p) cumsum(previous / cumprod(1 - p)) with the divisor kept between 1e-10 and 1, as in TensorFlow
 * Addons: where the product falls below that, it differs from the recursion. With probabilities of 0 and 1 it is the hard
 * alignment of decoding, the first key of probability 1 from where the step before stopped.
 *
 * @param probabilities of stopping, [..., key], between 0 and 1; 0 for a key that is not there.
 * @param previous the alignment before, [..., key].
 * @returns [..., key].
 */
export function monotonicStep(
  probabilities: Tensor,
  previous: Tensor,
  { mode = 'recursive' }: { readonly mode?: MonotonicMode } = {},
): Tensor {
  const passed = sub(1, probabilities);
  if (mode === 'recursive') return mul(probabilities, recurrence(shifted(passed, 1, 0), previous));
  if (mode !== 'parallel')
    throw new ValueError(`monotonicStep: mode expects 'recursive' or 'parallel', got '${String(mode)}'.`);
  const reaching = productsBefore(passed);
  return mul(
    mul(probabilities, reaching),
    sums(div(previous, clamp(reaching as Tensor<FloatDType>, 1e-10, 1))),
  );
}

export interface MonotonicOptions {
  /** `'hard'` stops at the first score above 0, as in decoding, and has no gradient. `'recursive'` if left out. */
  readonly mode?: MonotonicMode | 'hard';
  /** Keys that are there, booleans that broadcast to [..., query, key]. */
  readonly allowed?: Tensor<'bool'>;
  /** The alignment before the first query, [..., key]; all on the first key if left out. */
  readonly previous?: Tensor;
  /** The deviation of normal noise added to the scores while training, so that they become large: 1 in the paper. */
  readonly noise?: number;
  /** Needed with noise. */
  readonly seed?: number;
}

/**
 * Monotonic attention: the alignments of all queries, one after another, from scores. Raffel et al. 2017 (arXiv 1704.00784).
 * No normalizer, since a weight depends on the row before: get the scores from `attend.scores(query, key)`, and the context as
 * `matmul(alignments, value)`. The paper scores with `additive({ normalized: true })` and a bias that starts below 0.
 *
 * @param scores [..., query, key].
 * @returns [..., query, key].
 * @throws ShapeError, ValueError.
 */
export function monotonicAlignments(scores: Tensor, options: MonotonicOptions = {}): Tensor {
  const { mode = 'recursive', allowed, noise = 0, seed } = options;
  const { device, shape, rank } = scores;
  const dtype = scores.dtype as 'float32';
  if (rank < 2 || (shape.at(-1) as number) < 1)
    throw new ShapeError(
      `monotonicAlignments: expected scores [..., query, key] of at least one key, got [${shape.join(', ')}].`,
    );
  if (!(noise >= 0))
    throw new ValueError(`monotonicAlignments: noise expects a number of at least 0, got ${noise}.`);
  if (noise > 0 && seed === undefined)
    throw new ValueError('monotonicAlignments: noise needs a seed: { noise: 1, seed: step }.');
  return scope(device, () => {
    const noisy =
      noise > 0
        ? add(scores, normal(device, shape, { seed: seed as number, deviation: noise, dtype }))
        : scores;
    const bare = mode === 'hard' ? cast(gt(noisy, 0), dtype) : sigmoid(noisy);
    const p = allowed ? mul(bare, cast(allowed, dtype)) : bare;
    const first = zeros(device, shape.slice(0, -2), { dtype: 'int32' });
    let before = options.previous ?? oneHot(first, shape.at(-1) as number, { dtype });
    const rows = Array.from({ length: shape.at(-2) as number }, (_, query) => {
      before = monotonicStep(p.slice(-2, query, query + 1).squeeze(-2), before, {
        mode: mode === 'hard' ? 'recursive' : mode,
      });
      return before;
    });
    return rows.length > 0 ? stack(rows, { axis: -2 }) : p;
  });
}
