// A trained number for each range of distances.

import { defineModifier, option } from '@heed/attention';
import { abs, add, at, type Expr, type Index, maximum, minimum, mul, neg, sub, table } from '@heed/expr';
import { alignment, position } from '../alignment.ts';

/**
 * score + bucketBias[head, bucket(key - query)]: near distances have a bucket each, far ones share one, in ranges that grow with
 * the distance. Raffel et al. 2020 (T5, arXiv 1910.10683), section 2.1.
 *
 * With n buckets to a side (where `bidirectional`, half of them all for keys after the query), a distance d below n / 2 has the bucket d,
 * and beyond it n / 2 + floor(log(d / (n / 2)) / log(maxDistance / (n / 2)) * (n - n / 2)), at most n - 1. Not bidirectional,
 * every key after the query has bucket 0. The edges of ranges are found ahead in whole numbers, so that no backend's logarithm
 * decides a bucket. T5 does not divide its scores: `scaledDot({ scale: 1 })`.
 *
 * Parameter: `bucketBias` [head, buckets], or [1, buckets] for all heads; make it with `zeros`. Alignment is as for the mask
 * `causal`.
 *
 * @throws ShapeError at a call whose lengths differ where neither `align` nor `offset` was given.
 * @example relativeBuckets({ bidirectional: true })
 */
export const relativeBuckets = defineModifier({
  name: 'relative-buckets',
  ...alignment,
  options: {
    ...alignment.options,
    /** Whether keys after the query are told apart: T5's encoder, or its decoder. */
    bidirectional: option.boolean({ default: true }),
    /** How many buckets. */
    buckets: option.integer({ min: 2, default: 32 }),
    /** From where on all distances share the last bucket. */
    maxDistance: option.integer({ min: 2, default: 128 }),
  },
  validate: (options, uniforms) => {
    const { buckets, maxDistance, bidirectional } = options;
    const own = bidirectional ? buckets / 2 : buckets;
    if (own < 2 || !Number.isInteger(own))
      return `buckets: ${buckets} is expected to be even and at least 4 where bidirectional, half for either side.`;
    if (maxDistance <= Math.floor(own / 2))
      return `maxDistance: ${maxDistance} is expected to lie beyond the ${Math.floor(own / 2)} distances that have a bucket each.`;
    return alignment.validate(options, uniforms);
  },
  params: { bucketBias: { type: table(1), along: ['head'], initial: 0 } },
  modify: (place, options) => {
    const { buckets, bidirectional } = options;
    const after = sub(place.key, position(place, options));
    const own = bidirectional ? buckets / 2 : buckets;
    const away = bidirectional ? abs(after) : maximum(neg(after), 0);
    const exact = Math.floor(own / 2);
    const ranges = edges(own, options.maxDistance).map((edge) => step(away, edge));
    const bucket = ranges.reduce((sum, one) => add(sum, one), minimum(away, exact));
    const all = bidirectional ? add(bucket, mul(step(after, 1), own)) : bucket;
    return add(place.score, at(place.params.bucketBias, all));
  },
});

/** 1 from the edge on. */
const step = (of: Expr<Index>, edge: number): Expr<Index> => minimum(maximum(sub(of, edge - 1), 0), 1);

/** The least distance of each range after the first: the first n with (n / exact)^far >= (most / exact)^range. */
function edges(own: number, most: number): number[] {
  const exact = Math.floor(own / 2);
  const far = own - exact;
  const reaches = (n: number, range: number): boolean =>
    BigInt(n) ** BigInt(far) * BigInt(exact) ** BigInt(range) >=
    BigInt(most) ** BigInt(range) * BigInt(exact) ** BigInt(far);
  return Array.from({ length: far - 1 }, (_, i) => {
    let edge = Math.max(exact, Math.floor(exact * (most / exact) ** ((i + 1) / far)) - 1);
    while (!reaches(edge, i + 1)) edge++;
    return edge;
  });
}
