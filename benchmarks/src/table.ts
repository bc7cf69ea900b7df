// The results as text: medians, ratios, and the reasons for empty cells.

import type { Cell, Row } from './compete.ts';
import type { SizeRow } from './size.ts';
import type { StartRow } from './start.ts';
import { HEED, WEB } from './systems.ts';

const TURBO = 'heed-turbo';

export const medianOf = (cell: Cell | undefined): number | undefined =>
  cell?.kind === 'timed' ? cell.time.median : undefined;

export const precise = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
export const ratio = (value: number): string => (value >= 10 ? value.toFixed(1) : value.toFixed(2));

/** The time of each system divided by that of heed, and of heed with turbo. */
export function ratiosOf({ cells }: Row): Readonly<Record<string, Readonly<Record<string, number>>>> {
  const own = [HEED, TURBO].flatMap((name) => {
    const median = medianOf(cells[name]);
    return median === undefined ? [] : [{ name, median }];
  });
  return Object.fromEntries(
    Object.entries(cells).flatMap(([system, cell]) => {
      const median = medianOf(cell);
      if (median === undefined || system === HEED) return [];
      return [[system, Object.fromEntries(own.map(({ name, median: ours }) => [name, median / ours]))]];
    }),
  );
}

/** The fastest of the systems that run in pages. */
function bestWeb({ cells }: Row): { name: string; median: number } | undefined {
  const timed = WEB.flatMap((name) => {
    const median = medianOf(cells[name]);
    return median === undefined ? [] : [{ name, median }];
  });
  return timed.toSorted((a, b) => a.median - b.median)[0];
}

/** Columns as wide as their widest cell; the first one to the left, the others to the right. */
export function columns(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((text, at) => (at === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[at] ?? 0)))
        .join('  '),
    )
    .join('\n');
}

/** One table for each number of threads. */
export function table(rows: readonly Row[], systems: readonly string[]): string {
  return [...new Set(rows.map(({ threads }) => threads))]
    .map((threads) => {
      const these = rows.filter((row) => row.threads === threads);
      return `${threads} ${threads === 1 ? 'thread' : 'threads'}, milliseconds\n${ofThreads(these, systems)}`;
    })
    .join('\n\n');
}

function ofThreads(rows: readonly Row[], systems: readonly string[]): string {
  const shown = systems.filter((name) =>
    rows.some(({ cells }) => medianOf(cells[name]) !== undefined || name === HEED),
  );
  const reasons: string[] = [];
  const note = (reason: string): string => {
    if (!reasons.includes(reason)) reasons.push(reason);
    return `[${reasons.indexOf(reason) + 1}]`;
  };
  const lines = rows.map((row) => {
    const [plain, turbo] = [medianOf(row.cells[HEED]), medianOf(row.cells[TURBO])];
    const against = (median: number): string => {
      const ratios = [plain, turbo].flatMap((own) => (own === undefined ? [] : [ratio(median / own)]));
      return ratios.length > 0 ? ` (${ratios.join(' / ')})` : '';
    };
    const web = bestWeb(row);
    return [
      row.title,
      plain === undefined || row.work === undefined ? '' : precise(row.work / plain / 1e6 / row.threads),
      ...shown.map((name) => {
        const cell = row.cells[name];
        const median = medianOf(cell);
        if (median === undefined) return note(cell?.kind === 'empty' ? cell.reason : 'not asked');
        const once = cell?.kind === 'timed' && cell.time.runs === 1 ? ' once' : '';
        return `${precise(median)}${once}${name === HEED || name === TURBO ? '' : against(median)}`;
      }),
      web ? `${web.name}${against(web.median)}` : '',
    ];
  });
  const head = ['', 'GFLOP/s a thread', ...shown, 'best of those for pages'];
  const legend = [
    'In brackets: the time divided by that of heed, and by that of heed-turbo. Above 1 heed is faster.',
    ...reasons.map((reason, i) => `[${i + 1}] ${reason}`),
  ];
  const left = systems.filter((name) => !shown.includes(name));
  for (const name of left) {
    const why = new Set(
      rows.map(({ cells }) => (cells[name]?.kind === 'empty' ? cells[name].reason : 'not asked')),
    );
    legend.push(`${name}: ${[...why].join('; ')}`);
  }
  return `${columns([head, ...lines])}\n${legend.join('\n')}`;
}

/** heed beside itself: other scores and caches, other thread counts. */
export function againstItself(rows: readonly Row[]): string {
  const lines: string[][] = [];
  for (const row of rows) {
    const own = medianOf(row.cells[HEED]);
    const other = medianOf(row.beside?.cell);
    if (row.beside && own !== undefined && other !== undefined)
      lines.push([
        row.title,
        `${row.threads}`,
        precise(own),
        row.beside.title,
        precise(other),
        ratio(own / other),
      ]);
  }
  const one = rows.filter(({ threads }) => threads === 1);
  for (const row of rows.filter(({ threads }) => threads > 1)) {
    const single = one.find(({ id }) => id === row.id);
    for (const name of [HEED, TURBO]) {
      const [many, alone] = [medianOf(row.cells[name]), medianOf(single?.cells[name])];
      if (many !== undefined && alone !== undefined)
        lines.push([
          `${name}: ${row.title}`,
          `${row.threads}`,
          precise(many),
          'one thread',
          precise(alone),
          ratio(many / alone),
        ]);
    }
  }
  if (lines.length === 0) return '';
  return `heed beside itself\n${columns([['', 'threads', 'ms', 'beside', 'ms', 'ratio'], ...lines])}`;
}

export function startTable(rows: readonly StartRow[]): string {
  const own = rows.find(({ name }) => name === HEED)?.time?.median;
  const lines = rows.map(({ name, time, failed }) =>
    time
      ? [name, precise(time.median), own === undefined ? '' : ratio(time.median / own)]
      : [name, `failed: ${failed}`, ''],
  );
  return `Start of a process to its first result, length 128\n${columns([['', 'ms', 'against heed'], ...lines])}`;
}

export function sizeTable(rows: readonly SizeRow[]): string {
  const kB = (bytes: number | undefined): string => (bytes === undefined ? '' : (bytes / 1000).toFixed(1));
  const lines = rows.map(({ what, script, binary }) => [
    what,
    kB(script.atOnce.minified),
    kB(script.atOnce.gzip),
    kB(script.inAll.minified),
    kB(script.inAll.gzip),
    kB(binary?.minified),
    kB(binary?.gzip),
  ]);
  return `Size in kB\n${columns([['', 'at once', 'gzip', 'in all', 'gzip', 'binary', 'gzip'], ...lines])}`;
}
