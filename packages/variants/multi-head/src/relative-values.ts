// Positions on the side of the values: what is fetched from a key also says how far away it lies.

import type { Attended } from '@heed/attention';
import { type Builder, initial } from '@heed/nn';
import { add, concat, matmul, pad, ShapeError, sum, type Tensor, ValueError, zeros } from '@heed/tensor';
import type { HeadsAttention } from './plain-heads.ts';

/** Where the queries of a call stand among its keys. */
export interface Standing {
  /** Whether rows came before these: then the last query stands at the last key. */
  readonly cached: boolean;
  /** Of sequences that may differ in length. */
  readonly lengths: readonly number[] | null;
}

/** The vectors of distances, if there are any. @throws ValueError for an even number. */
export function relativeVectors(build: Builder, distances: number | undefined, width: number): Tensor | null {
  if (distances === undefined) return null;
  if (distances % 2 === 0)
    throw new ValueError(
      `multi-head: the option "relativeValues" expects an odd number, n distances on either side and 0 between them, got ${distances}.`,
    );
  return build.parameter(
    'relativeValues',
    [distances, width],
    initial.normal({ deviation: 1 / Math.sqrt(width) }),
  );
}

/**
 * context_i + sum_j w_ij r[clamp(j - i, -n, n)], with 2 n + 1 vectors r: Shaw, Uszkoreit, Vaswani 2018 (arXiv 1803.02155), equation
 * 3, whose a^V is r. Their a^K, on the side of the keys, is the modifier `relativeKeys`.
 *
 * The weights of all pairs are made and summed by distance, so they are kept in memory, heads x queries x keys.
 *
 * @param relative [2 n + 1, valueHeadWidth], the first for keys n or more before the query.
 * @param extra how many keys at the end belong to no row. They have no distance.
 */
export function withRelativeValues(
  inner: HeadsAttention,
  relative: Tensor,
  extra: number,
): (standing: Standing) => HeadsAttention {
  const reach = ((relative.shape[0] as number) - 1) / 2;
  const placed =
    (standing: Standing) =>
    (...[query, key, value, call]: Parameters<HeadsAttention>): Attended => {
      const [queries, keys] = [query.shape[2] as number, (key.shape[2] as number) - extra];
      const offset = offsetOf(queries, keys, standing);
      const { context, weights } = inner(query, key, value, { ...call, weights: true });
      const own = (weights as Tensor).slice(-1, 0, keys);
      const both = add(context, matmul(byDistance(own, offset, reach), relative));
      // Pooled weights are asked for by themselves.
      const asked =
        call.weights === true ? weights : call.weights ? inner(query, key, value, call).weights : null;
      return { context: both, ...(asked ? { weights: asked } : {}) };
    };
  return (standing) => Object.assign(placed(standing), { parts: inner.parts });
}

/**
 * How many keys stand before the first query.
 *
 * @param lengths of a cache's sequences, where they may differ.
 * @throws ShapeError where nothing says it.
 */
function offsetOf(queries: number, keys: number, { cached, lengths }: Standing): number {
  if (lengths?.some((one) => one !== keys))
    throw new ShapeError(
      `multi-head: with relativeValues sequences side by side must be equally long, got [${lengths.join(', ')}]. Call the layer with one ` +
        'at a time: cache.select([0]).',
    );
  if (cached || queries === keys) return keys - queries;
  throw new ShapeError(
    `multi-head: with relativeValues rows have distances, and there are ${queries} queries and ${keys} keys. Attend from a sequence ` +
      'to itself, or with a cache, where the last query stands at the last key.',
  );
}

/**
 * The weights [..., query, key] summed over the keys of each distance key - (query + offset), cut to n either way: [..., query, 2 n +
 * 1].
 */
function byDistance(weights: Tensor, offset: number, n: number): Tensor {
  const [queries, keys] = weights.shape.slice(-2) as [number, number];
  const leading = weights.shape.slice(0, -2);
  // Rows of queries + keys - 1, read again as rows that are one longer: each begins one place earlier than the one before, so
  // that equal distances, from 1 - queries on, stand below each other.
  const wide = padLast(weights, 0, queries - 1);
  const flat = padLast(wide.reshape([...leading, queries * (queries + keys - 1)]), queries, 0);
  const skewed = flat.reshape([...leading, queries, queries + keys]).slice(-1, 1);
  const count = queries + keys - 1;
  /** Where the distance stands. */
  const at = (distance: number) => Math.min(Math.max(distance + offset + queries - 1, 0), count);
  const far = (from: number, to: number) => sum(skewed.slice(-1, from, to), { axis: -1, keepDims: true });
  if (n === 0) return far(0, count);
  const [first, end] = [at(1 - n), at(n)];
  // Distances that no pair has.
  const missing = (length: number) =>
    zeros(weights.device, [...leading, queries, length], { dtype: weights.dtype });
  const before = Math.min(Math.max(n - queries - offset, 0), 2 * n - 1);
  const near = skewed.slice(-1, first, end);
  const after = 2 * n - 1 - before - (end - first);
  return concat([far(0, first), missing(before), near, missing(after), far(end, count)], { axis: -1 });
}

const padLast = (of: Tensor, before: number, after: number): Tensor =>
  pad(
    of,
    of.shape.map((_, axis) => (axis === of.rank - 1 ? ([before, after] as const) : ([0, 0] as const))),
  );
