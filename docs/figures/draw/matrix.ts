// A matrix as cells: the fuller the colour, the more.

import { type Drawing, element, type Hue, LINE, text, widthOf } from './svg.ts';

export interface MatrixOptions {
  /** Of one cell, in pixels. */
  readonly cell?: number;
  /** Between cells, in pixels; without one there is no grid either. */
  readonly gap?: number;
  /** Words beside the rows and above the columns: those of a sentence, or places. */
  readonly rows?: readonly string[];
  readonly columns?: readonly string[];
  /** What is drawn in full colour; the largest magnitude if left out. Numbers below zero have another colour. */
  readonly most?: number;
  readonly hues?: readonly [above: Hue, below: Hue];
}

/** As many shades as an eye tells apart: cells of one shade are one path. */
const SHADES = 25;

/** Each number as a cell, row by row from the top: an alignment matrix has a row for each query, a column for each key. */
export function matrix(values: readonly (readonly number[])[], options: MatrixOptions = {}): Drawing {
  const { cell = 14, gap = 1, rows = [], columns = [], hues = ['blue', 'orange'] } = options;
  const most = options.most ?? Math.max(...values.flat().map(Math.abs), Number.MIN_VALUE);
  const across = Math.max(...values.map((row) => row.length));
  const left = rows.length === 0 ? 0 : Math.max(...rows.map(widthOf)) + 6;
  const above = columns.length === 0 ? 0 : LINE;
  const [width, height] = [across * cell, values.length * cell];
  const side = cell - gap;
  const shades = new Map<string, string>();
  for (const [i, row] of values.entries()) {
    for (const [j, value] of row.entries()) {
      const share = Math.round(Math.min(1, Math.abs(value) / most) * SHADES) / SHADES;
      if (share === 0) continue;
      const shade = `${hues[value < 0 ? 1 : 0]} ${share}`;
      const [x, y] = [left + j * cell + gap / 2, above + i * cell + gap / 2];
      shades.set(shade, `${shades.get(shade) ?? ''}M${x} ${y}h${side}v${side}h-${side}z`);
    }
  }
  const edges = (count: number): number[] =>
    gap === 0 ? [0, count] : Array.from({ length: count + 1 }, (_, at) => at);
  const lines = [
    ...edges(values.length).map((i) => `M${left} ${above + i * cell}h${width}`),
    ...edges(across).map((j) => `M${left + j * cell} ${above}v${height}`),
  ].join('');
  return {
    width: left + width,
    height: above + height,
    body: [
      element('path', { class: 'rule', d: lines }),
      ...[...shades].map(([shade, d]) => {
        const [hue, share] = shade.split(' ') as [Hue, string];
        return element('path', { class: hue, 'fill-opacity': share, d });
      }),
      ...rows.map((word, i) =>
        text(left - 6, above + (i + 0.5) * cell + 4, word, { anchor: 'end', tone: 'soft' }),
      ),
      ...columns.map((word, j) =>
        text(left + (j + 0.5) * cell, above - 4, word, { anchor: 'middle', tone: 'soft' }),
      ),
    ].join(''),
  };
}
