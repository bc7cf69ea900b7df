// The picture as a file: the chart of chart.ts, drawn into a document that needs no browser.

import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { type Palette, plotFit } from './chart.ts';
import type { Series } from './series.ts';

const palette: Palette = {
  observed: '#6d7280',
  held: '#c2410c',
  fit: '#4338ca',
  band: '#f6ece1',
  ink: '#3f3f46',
  grid: '#e8e6df',
};

/** An SVG document with the observed points, the held-back ones and the curve. */
export function svgOf(series: Series, predictions: ArrayLike<number>, title: string): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const plot = plotFit(series, predictions, {
    width: 960,
    height: 380,
    palette,
    font: 'system-ui, sans-serif',
    over: [
      legend('● observed', 420, palette.observed),
      legend('○ held back', 300, palette.held),
      legend('━ fitted', 180, palette.fit),
    ],
    document,
  });
  plot.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  const heading = document.createElementNS('http://www.w3.org/2000/svg', 'title');
  heading.textContent = title;
  plot.prepend(heading);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${plot.outerHTML}\n`;
}

/** Words above the picture, `fromRight` pixels from its right edge. */
const legend = (text: string, fromRight: number, fill: string): Plot.Markish =>
  Plot.text([text], {
    frameAnchor: 'top-right',
    textAnchor: 'start',
    dx: -fromRight,
    dy: -18,
    fill,
    clip: false,
  });
