// Axes, and lines and bars over them.

import { type Drawing, element, type Hue, hues, LINE, text, widthOf } from './svg.ts';

type Point = readonly [x: number, y: number];

export interface Line {
  readonly label?: string;
  readonly points: readonly Point[];
  readonly hue?: Hue;
}

export interface Axis {
  readonly from: number;
  readonly to: number;
  readonly ticks: readonly number[];
  /** Named under the axis of x. */
  readonly label?: string;
}

export interface PlotOptions {
  readonly x: Axis;
  readonly y: Axis;
  /** Of the area between the axes. */
  readonly width?: number;
  readonly height?: number;
}

const LEFT = 30;

/** Lines over a pair of axes, with a legend below where lines have labels. */
export function plot(lines: readonly Line[], { x, y, width = 180, height = 110 }: PlotOptions): Drawing {
  const at = ([px, py]: Point): Point => [
    LEFT + ((px - x.from) / (x.to - x.from)) * width,
    LINE / 2 + (1 - (py - y.from) / (y.to - y.from)) * height,
  ];
  const below = LINE / 2 + height;
  const hueOf = (line: Line, i: number): Hue => line.hue ?? (hues[i % hues.length] as Hue);
  const scales = [
    ...y.ticks.flatMap((tick) => {
      const [, py] = at([x.from, tick]);
      return [
        element('path', { class: 'rule', d: `M${LEFT} ${Math.round(py)}h${width}` }),
        text(LEFT - 5, py + 4, String(tick), { anchor: 'end', tone: 'soft' }),
      ];
    }),
    ...x.ticks.map((tick) =>
      text(at([tick, 0])[0], below + LINE, String(tick), { anchor: 'middle', tone: 'soft' }),
    ),
    ...(x.label
      ? [text(LEFT + width / 2, below + 2 * LINE, x.label, { anchor: 'middle', tone: 'soft' })]
      : []),
  ];
  const drawn = lines.map((line, i) =>
    element('path', {
      class: `line ${hueOf(line, i)}`,
      d: line.points
        .map(
          (point, n) =>
            `${n === 0 ? 'M' : 'L'}${at(point)
              .map((one) => one.toFixed(1))
              .join(' ')}`,
        )
        .join(''),
    }),
  );
  const named = lines.flatMap((line, i) => (line.label ? [[line.label, hueOf(line, i)] as const] : []));
  const start = below + (x.label ? 2 : 1) * LINE + 8;
  const legend = named.flatMap(([label, hue], i) => {
    const top = start + i * LINE;
    return [
      element('rect', { class: hue, x: LEFT, y: top + 4, width: 10, height: 10, rx: 2 }),
      text(LEFT + 16, top + 13, label),
    ];
  });
  return {
    width: Math.max(LEFT + width + 10, ...named.map(([label]) => LEFT + 16 + widthOf(label))),
    height: start + named.length * LINE,
    body: [...scales, ...drawn, ...legend].join(''),
  };
}

export interface BarsOptions {
  /** Under each bar. */
  readonly labels?: readonly string[];
  /** What is drawn at full height; the largest magnitude if left out. */
  readonly most?: number;
  readonly width?: number;
  readonly height?: number;
  readonly hue?: Hue;
}

/** A bar for each number, from a line at zero: down from it where the number is negative. */
export function bars(values: readonly number[], options: BarsOptions = {}): Drawing {
  const { labels = [], width = 150, height = 70, hue = 'blue' } = options;
  const most = options.most ?? Math.max(...values.map(Math.abs), Number.MIN_VALUE);
  const down = values.some((one) => one < 0) ? height / 2 : 0;
  const zero = height - down;
  const step = width / values.length;
  const drawn = values.flatMap((value, i) => {
    const size = Math.min(1, Math.abs(value) / most) * (down > 0 ? height / 2 : height);
    const top = value < 0 ? zero : zero - size;
    return size === 0
      ? []
      : [element('rect', { class: hue, x: (i + 0.15) * step, y: top, width: 0.7 * step, height: size })];
  });
  return {
    width,
    height: height + (labels.length > 0 ? LINE : 0),
    body: [
      ...drawn,
      element('path', { class: 'rule', d: `M0 ${zero}h${width}` }),
      ...labels.map((label, i) =>
        text((i + 0.5) * step, height + LINE - 3, label, { anchor: 'middle', tone: 'soft' }),
      ),
    ].join(''),
  };
}
