// A trained number for each distance in two dimensions.

import { defineModifier, option } from '@heed/attention';
import { add, at, floorDiv, mod, sub, table } from '@heed/expr';

/**
 * score + grid[head, row(query) - row(key) + height - 1, column(query) - column(key) + width - 1]: the relative position bias
 * of windows of an image. Liu et al. 2021 (Swin Transformer, arXiv 2103.14030), section 3.2, whose M is height and width, and
 * whose B̂ is `grid`. Positions run along rows: row = floor(position / width), column = position mod width, for queries and
 * keys alike.
 *
 * Parameter: `grid` [head, 2 height - 1, 2 width - 1], or [1, ...] for all heads; make it with `zeros`. A table of Swin's,
 * [(2 M - 1)², head], is `table.transpose().reshape([heads, 2 * M - 1, 2 * M - 1])`.
 *
 * @throws ShapeError at a call with more queries or keys than a window has places.
 * @example relativeGrid({ height: 7, width: 7 })
 */
export const relativeGrid = defineModifier({
  name: 'relative-grid',
  options: {
    /** Rows of the window. */
    height: option.integer({ min: 1 }),
    /** Columns of the window. */
    width: option.integer({ min: 1 }),
  },
  params: { grid: { type: table(2), along: ['head'], initial: 0 } },
  refuse: ({ queryLength, keyLength }, { height, width }) =>
    Math.max(queryLength, keyLength) > height * width
      ? `there are ${queryLength} queries and ${keyLength} keys, and a window of ${height} x ${width} has ${height * width} places. ` +
        'Cut the image into windows, one a batch entry, or say its real height and width.'
      : undefined,
  modify: ({ score, query, key, params }, { height, width }) => {
    const down = add(sub(floorDiv(query, width), floorDiv(key, width)), height - 1);
    const across = add(sub(mod(query, width), mod(key, width)), width - 1);
    return add(score, at(params.grid, down, across));
  },
});
