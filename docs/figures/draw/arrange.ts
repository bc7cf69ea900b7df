// Drawings beside and below one another.

import { type Drawing, LINE, shifted, text, widthOf } from './svg.ts';

const sum = (of: readonly number[]): number => of.reduce((all, one) => all + one, 0);

/** A line or more above a drawing; the first is the name. */
export function titled(drawing: Drawing, ...lines: readonly string[]): Drawing {
  const above = lines.length * LINE + 4;
  const said = lines.map((line, at) => text(0, (at + 1) * LINE - 4, line, at === 0 ? {} : { tone: 'soft' }));
  return {
    width: Math.max(drawing.width, ...lines.map(widthOf)),
    height: drawing.height + above,
    body: said.join('') + shifted(drawing, 0, above),
  };
}

export interface GridOptions {
  readonly columns: number;
  /** Between drawings. */
  readonly gap?: number;
}

/** Rows of drawings, from left to right; a column is as wide as its widest, a row as high as its highest. */
export function grid(drawings: readonly Drawing[], { columns, gap = 24 }: GridOptions): Drawing {
  const rows = Array.from({ length: Math.ceil(drawings.length / columns) }, (_, row) =>
    drawings.slice(row * columns, (row + 1) * columns),
  );
  const most = (of: readonly Drawing[], side: 'width' | 'height'): number =>
    Math.max(...of.map((one) => one[side]));
  const heights = rows.map((row) => most(row, 'height'));
  const widths = Array.from({ length: Math.min(columns, drawings.length) }, (_, column) =>
    most(
      rows.flatMap((row) => row.slice(column, column + 1)),
      'width',
    ),
  );
  const start = (sizes: readonly number[], at: number): number => sum(sizes.slice(0, at)) + at * gap;
  return {
    width: start(widths, widths.length) - gap,
    height: start(heights, heights.length) - gap,
    body: rows
      .flatMap((row, r) => row.map((one, c) => shifted(one, start(widths, c), start(heights, r))))
      .join(''),
  };
}
