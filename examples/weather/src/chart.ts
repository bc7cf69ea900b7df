// The picture of a fit: what was observed, what was held back, and the curve. The page and the SVG file share it.

import * as Plot from '@observablehq/plot';
import type { Series, Step } from './series.ts';

export interface Palette {
  readonly observed: string;
  readonly held: string;
  readonly fit: string;
  /** Behind the steps that are held back. */
  readonly band: string;
  readonly ink: string;
  readonly grid: string;
}

export interface FitPicture {
  readonly width: number;
  readonly height: number;
  readonly palette: Palette;
  /** The page's own, if left out. */
  readonly font?: string;
  /** Drawn between the points and the curve. */
  readonly between?: readonly Plot.Markish[];
  /** Drawn last. */
  readonly over?: readonly Plot.Markish[];
  readonly document?: Document;
}

/** @param predictions °C for each step; NaN leaves a gap in the curve. */
export function plotFit(
  series: Series,
  predictions: ArrayLike<number>,
  { width, height, palette, font = 'inherit', between = [], over = [], document }: FitPicture,
): ReturnType<typeof Plot.plot> {
  const { steps } = series;
  const middle = ({ date }: Step): Date => daysAfter(date, series.length / 2);
  const temperatures = steps.map(({ temperature }) => temperature);
  // A row of weights need not sum to one, so a prediction may lie anywhere: the picture keeps to the observed range.
  const [low, high] = [Math.min(...temperatures) - 2, Math.max(...temperatures) + 4];
  const curve = steps.map((step, at) => ({ date: middle(step), prediction: predictions[at] }));
  return Plot.plot({
    width,
    height,
    marginLeft: 40,
    marginRight: 12,
    marginTop: 26,
    ...(document && { document }),
    style: { color: palette.ink, background: 'none', fontFamily: font, fontSize: '12px' },
    x: { type: 'utc', label: null, domain: [steps[0]!.date, daysAfter(steps.at(-1)!.date, series.length)] },
    y: { label: '°C, highest of the day', domain: [low, high], grid: false, labelAnchor: 'top' },
    clip: true,
    marks: [
      Plot.gridY({ stroke: palette.grid, strokeOpacity: 1 }),
      Plot.rectX(heldBlocks(series), { x1: 'from', x2: 'to', fill: palette.band, className: 'held-blocks' }),
      Plot.dot(steps, {
        filter: ({ held }: Step) => !held,
        x: middle,
        y: 'temperature',
        r: 2,
        fill: palette.observed,
        fillOpacity: 0.55,
      }),
      Plot.dot(steps, {
        filter: ({ held }: Step) => held,
        x: middle,
        y: 'temperature',
        r: 2.6,
        stroke: palette.held,
        strokeWidth: 1.5,
      }),
      ...between,
      Plot.line(curve, {
        x: 'date',
        y: 'prediction',
        stroke: palette.fit,
        strokeWidth: 2.25,
        curve: 'linear',
        clip: true,
      }),
      ...over,
    ],
  });
}

/** Neighbouring steps that are held back, as one stretch of time. */
function heldBlocks({ steps, length }: Series): { from: Date; to: Date }[] {
  const blocks: { from: Date; to: Date }[] = [];
  for (const [at, { date, held }] of steps.entries()) {
    if (!held) continue;
    const to = daysAfter(date, length);
    const last = blocks.at(-1);
    if (last && steps[at - 1]?.held) last.to = to;
    else blocks.push({ from: date, to });
  }
  return blocks;
}

const daysAfter = (date: Date, days: number): Date => new Date(date.getTime() + days * 86_400_000);
