// The places around a place of an image.

import { defineMask, option } from '@heed/attention';
import {
  abs,
  add,
  and,
  type Bool,
  type Expr,
  floorDiv,
  ge,
  type Index,
  le,
  maximum,
  minimum,
  mod,
  sub,
} from '@heed/expr';

/**
 * The `size` x `size` places around the query's, row by row: row = floor(position / width), column = position mod width, for
 * queries and keys alike. At the edges the window is shifted inwards, so that every query sees equally many: Hassani et al. 2023
 * (neighborhood attention, arXiv 2204.07143), section 3.1. With `edges: 'cut'` what lies outside is missing: Ramachandran et al.
 * 2019 (arXiv 1906.05909), section 3, without its zeros.
 *
 * @throws ShapeError at a call with more queries or keys than the image has places.
 * @example neighborhood({ height: 14, width: 14, size: 7 })
 */
export const neighborhood = defineMask({
  name: 'neighborhood',
  options: {
    /** Rows of the image. */
    height: option.integer({ min: 1 }),
    /** Columns of the image. */
    width: option.integer({ min: 1 }),
    /** How many places the window has either way: an odd number. */
    size: option.integer({ min: 1 }),
    /** What the window does at the edge of the image. */
    edges: option.oneOf('shift', 'cut'),
  },
  validate: ({ size }) =>
    size % 2 === 0
      ? `size is ${size}: expected an odd number, so that a place is in the middle of its window.`
      : undefined,
  refuse: ({ queryLength, keyLength }, { height, width }) =>
    Math.max(queryLength, keyLength) > height * width
      ? `there are ${queryLength} queries and ${keyLength} keys, and an image of ${height} x ${width} has ${height * width} places. ` +
        "Say the image's real height and width."
      : undefined,
  allowed: ({ query, key }, { height, width, size, edges }) => {
    const reach = (size - 1) / 2;
    const near = (here: Expr<Index>, there: Expr<Index>, length: number): Expr<Bool> => {
      if (edges === 'cut') return le(abs(sub(there, here)), reach);
      // Smaller images are seen whole.
      const first = maximum(minimum(sub(here, reach), Math.max(0, length - size)), 0);
      return and(ge(there, first), le(there, add(first, size - 1)));
    };
    return and(
      near(floorDiv(query, width), floorDiv(key, width), height),
      near(mod(query, width), mod(key, width), width),
    );
  },
});
