// A trained vector for each distance, which the query is compared with.

import { defineModifier, option } from '@heed/attention';
import { add, div, floorDiv, mat, matvec, maximum, minimum, mul, pick, sqrt, sub, toInt } from '@heed/expr';
import { alignment, position } from '../alignment.ts';

/**
 * score + q . r[clamp(key - query, -n, n)] / sqrt(queryFeature), with 2 n + 1 vectors r: each distance up to n has one, and
 * those beyond share the outermost. Shaw, Uszkoreit, Vaswani 2018 (arXiv 1803.02155), equations 4 and 5, whose a^K is r;
 * their a^V, which is added to the values, is the option `relativeValues` of `multiHead`. A number for each distance is
 * `relativeTable`.
 *
 * The products with all vectors are made once for each query. `scale` takes the place of 1 / sqrt(queryFeature), as in
 * `scaledDot`.
 *
 * Parameter: `relativeKeys` [distances, queryFeature], the first for the key farthest before the query. Alignment is as for
 * the mask `causal`.
 *
 * @throws ShapeError at a call whose lengths differ where neither `align` nor `offset` was given, or where `distances` is even.
 * @example attention({ score: scaledDot(), modifiers: [relativeKeys({ distances: 33 })], normalizer: softmax() })
 */
export const relativeKeys = defineModifier({
  name: 'relative-keys',
  ...alignment,
  options: {
    ...alignment.options,
    /** What the product with a vector is multiplied with, instead of 1 / sqrt(queryFeature). */
    scale: option.number({ optional: true }),
  },
  sizes: {
    /** How many vectors: 2 n + 1. */
    distances: 33,
  },
  params: { relativeKeys: mat('distances', 'queryFeature') },
  refuse: (lengths, options, uniforms, { distances }) =>
    (distances as number) % 2 === 0
      ? `relativeKeys has ${distances} rows: expected an odd number, n distances on either side and 0 between them.`
      : alignment.refuse(lengths, options, uniforms),
  modify: (place, options) => {
    const { q, score, key, params, size } = place;
    const count = toInt(size('distances'));
    const entry = add(sub(key, position(place, options)), floorDiv(count, 2));
    const product = pick(matvec(params.relativeKeys, q), maximum(minimum(entry, sub(count, 1)), 0));
    const { scale } = options;
    return add(score, scale === undefined ? div(product, sqrt(size('queryFeature'))) : mul(product, scale));
  },
});
