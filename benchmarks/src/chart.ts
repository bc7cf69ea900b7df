// The results as a picture: a line for each row, a dot for each system, time on a logarithmic axis.

import type { Row } from './compete.ts';
import type { System } from './systems.ts';
import { medianOf, precise } from './table.ts';

const LEFT = 370;
const WIDTH = 1080;
const LINE = 24;
const TOP = 84;
const GAP = 56;

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const said = (x: number, y: number, text: string, rest = ''): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${rest}>${escaped(text)}</text>`;

const threaded = (threads: number): string => `${threads} ${threads === 1 ? 'thread' : 'threads'}`;

/** An SVG document; undefined where nothing was timed. @param heading what stands above the rows of so many threads. */
export function chart(
  rows: readonly Row[],
  systems: readonly System[],
  caption: string,
  heading: (threads: number) => string = threaded,
): string | undefined {
  const drawn = rows.filter(({ cells }) => Object.values(cells).some((cell) => medianOf(cell) !== undefined));
  const times = drawn.flatMap(({ cells }) => Object.values(cells).flatMap((cell) => medianOf(cell) ?? []));
  if (times.length === 0) return undefined;
  const [low, high] = [Math.floor(Math.log10(Math.min(...times))), Math.ceil(Math.log10(Math.max(...times)))];
  const span = Math.max(1, high - low);
  const x = (ms: number): number => LEFT + ((Math.log10(ms) - low) / span) * (WIDTH - LEFT - 40);
  const shown = systems.filter(({ name }) => drawn.some(({ cells }) => medianOf(cells[name]) !== undefined));

  const parts: string[] = [said(20, 26, caption, 'font-weight="600"'), ...legend(shown)];
  let y = TOP;
  for (const threads of new Set(drawn.map((row) => row.threads))) {
    const these = drawn.filter((row) => row.threads === threads);
    const end = y + LINE * these.length;
    parts.push(said(20, y + 4, heading(threads), 'font-weight="600"'));
    for (let power = low; power <= low + span; power++) {
      const at = x(10 ** power);
      parts.push(`<line x1="${at}" x2="${at}" y1="${y + 10}" y2="${end + 12}" stroke="#ddd"/>`);
      parts.push(said(at, end + 26, `${10 ** power} ms`, 'text-anchor="middle" fill="#555"'));
    }
    for (const row of these) {
      y += LINE;
      parts.push(said(20, y + 4, row.title), ...dots(row, shown, x, y));
    }
    y += GAP;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" font-family="system-ui, sans-serif" font-size="13">`,
    `<title>${escaped(caption)}</title>`,
    `<rect width="${WIDTH}" height="${y}" fill="#fff"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

function legend(shown: readonly System[]): string[] {
  let at = 20;
  return shown.flatMap(({ name, colour }) => {
    const from = at;
    at += 30 + name.length * 7.4;
    return [`<circle cx="${from + 6}" cy="48" r="6" fill="${colour}"/>`, said(from + 17, 52, name)];
  });
}

function dots(row: Row, shown: readonly System[], x: (ms: number) => number, y: number): string[] {
  const timed = shown.flatMap((system) => {
    const median = medianOf(row.cells[system.name]);
    return median === undefined ? [] : [{ ...system, median }];
  });
  const places = timed.map(({ median }) => x(median));
  return [
    `<line x1="${Math.min(...places).toFixed(1)}" x2="${Math.max(...places).toFixed(1)}" y1="${y}" y2="${y}" stroke="#bbb"/>`,
    ...timed.map(
      ({ name, colour, median }) =>
        `<circle cx="${x(median).toFixed(1)}" cy="${y}" r="6" fill="${colour}" fill-opacity="0.9"><title>${name}: ${precise(median)} ms</title></circle>`,
    ),
  ];
}
