// The results as text: times and ratios, what heed ran for them, and what follows.

import type { Cell, Row } from '../compete.ts';
import type { Facts } from '../protocol.ts';
import { HEED } from '../systems.ts';
import { columns, medianOf, precise, ratio } from '../table.ts';
import { PLAIN } from './systems.ts';
import { bytesOf, type GpuWorkload } from './workloads.ts';

export interface Measured {
  readonly workload: GpuWorkload;
  readonly row: Row;
}

const factsOf = (cell: Cell | undefined): Facts => (cell?.kind === 'timed' ? (cell.facts ?? {}) : {});
const reasonOf = (cell: Cell | undefined): string => (cell?.kind === 'empty' ? cell.reason : 'not asked');

/** Peers that were timed, the fastest first. */
function peersOf({ cells }: Row): readonly { readonly name: string; readonly median: number }[] {
  return Object.entries(cells)
    .flatMap(([name, cell]) => {
      const median = medianOf(cell);
      return median === undefined || name === HEED ? [] : [{ name, median }];
    })
    .toSorted((a, b) => a.median - b.median);
}

/** A row each, a system a column. */
export function times(measured: readonly Measured[], systems: readonly string[]): string {
  const reasons: string[] = [];
  const note = (reason: string): string => {
    if (!reasons.includes(reason)) reasons.push(reason);
    return `[${reasons.indexOf(reason) + 1}]`;
  };
  const lines = measured.map(({ row }) => {
    const own = medianOf(row.cells[HEED]);
    const against = (median: number): string => (own === undefined ? '' : ` (${ratio(median / own)})`);
    const [fastest] = peersOf(row);
    return [
      row.title,
      ...systems.map((name) => {
        const cell = row.cells[name];
        const median = medianOf(cell);
        if (median === undefined) return note(reasonOf(cell));
        const once = cell?.kind === 'timed' && cell.time.runs === 1 ? ' once' : '';
        return `${precise(median)}${once}${name === HEED ? '' : against(median)}`;
      }),
      fastest ? `${fastest.name}${against(fastest.median)}` : '',
    ];
  });
  return [
    'Milliseconds',
    columns([['', ...systems, 'fastest peer'], ...lines]),
    'In brackets: the time divided by that of heed. Above 1 heed is faster.',
    ...reasons.map((reason, i) => `[${i + 1}] ${reason}`),
  ].join('\n');
}

const UNITS = ['', ' k', ' M', ' G', ' T', ' P'];

/** A count or a number of bytes, by thousands. */
function large(value: number | undefined): string {
  if (value === undefined) return '';
  const power = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)));
  return `${(value / 1000 ** power).toPrecision(3)}${UNITS[power]}`;
}

/** What heed did in a run, and what that makes a second. */
export function account(measured: readonly Measured[], flops: number): string {
  const lines = measured.flatMap(({ workload, row }) => {
    const median = medianOf(row.cells[HEED]);
    if (median === undefined) return [];
    const { operations, bytes, deviceMs, peakBytes, largestBytes } = factsOf(row.cells[HEED]);
    const part = (ms: number): string => `${((100 * workload.work) / (ms / 1000) / flops).toFixed(1)} %`;
    return [
      [
        row.title,
        precise(median),
        deviceMs === undefined ? '' : precise(deviceMs),
        precise(workload.work / median / 1e6),
        part(median) + (deviceMs === undefined ? '' : ` (${part(deviceMs)})`),
        large(operations),
        large(bytes),
        bytes === undefined ? '' : precise(bytes / median / 1e6),
        large(peakBytes),
        large(largestBytes),
        large(bytesOf(workload.task).table * workload.task.shape.batch * workload.task.shape.heads),
      ],
    ];
  });
  if (lines.length === 0) return '';
  const head = [
    '',
    'ms',
    'device ms',
    'GFLOP/s',
    'of the rate',
    'operations',
    'bytes',
    'GB/s',
    'peak',
    'largest',
  ];
  return [
    'What heed does in a run',
    columns([[...head, 'queries x keys'], ...lines]),
    'GFLOP/s: products and sums that the result needs, over the time; of the rate: as a part of the multiply-add rate, in brackets',
    "by the device's clock. Operations and bytes: counted from the programs that ran, masked pairs included. Peak: bytes of all",
    'buffers that lived at once, inputs included; largest: of the largest one; queries x keys: what a table of all pairs would take.',
  ].join('\n');
}

/** Which templates ran, rows with the same ones together. */
export function templates(measured: readonly Measured[]): string {
  const byNotes = new Map<string, string[]>();
  for (const { row } of measured) {
    const notes = factsOf(row.cells[HEED]).notes?.join('\n    ');
    if (notes) byNotes.set(notes, [...(byNotes.get(notes) ?? []), row.id]);
  }
  if (byNotes.size === 0) return '';
  return ['Templates', ...[...byNotes].map(([notes, ids]) => `  ${ids.join(' ')}\n    ${notes}`)].join('\n');
}

/** Ways of computing that gave other results or failed while another way of that system was right: one line each. */
export function dropped(measured: readonly Measured[]): string {
  const byWay = new Map<string, { readonly note: string; readonly ids: string[] }>();
  for (const { row } of measured) {
    for (const [system, cell] of Object.entries(row.cells)) {
      for (const note of cell.kind === 'timed' ? cell.notes : []) {
        const way = `${system}: ${note.split(':')[0]}`;
        const known = byWay.get(way);
        if (known) known.ids.push(row.id);
        else byWay.set(way, { note: `${system}: ${note}`, ids: [row.id] });
      }
    }
  }
  if (byWay.size === 0) return '';
  return [
    'Ways that were not timed',
    ...[...byWay.values()].map(({ note, ids }) => `${note} (${ids.join(' ')})`),
  ].join('\n');
}

/** heed's templates beside each other. */
export function againstItself(rows: readonly Row[]): string {
  if (rows.length === 0) return '';
  const lines = rows.flatMap((row) => {
    const own = row.cells[HEED];
    const other = row.beside?.cell ?? row.cells[PLAIN];
    const [one, two] = [medianOf(own), medianOf(other)];
    const [ran, ranToo] = [own, other].map((cell) => factsOf(cell).notes?.join('; ') || reasonOf(cell));
    const name = row.beside ? row.beside.title : `${row.title}, without subgroups`;
    return [
      { cells: [row.title, one === undefined ? '' : precise(one), ''], ran },
      {
        cells: [
          name,
          two === undefined ? '' : precise(two),
          one === undefined || two === undefined ? '' : ratio(two / one),
        ],
        ran: ran === ranToo ? 'the same' : ranToo,
      },
    ];
  });
  const [head, ...texts] = columns([['', 'ms', 'ratio'], ...lines.map(({ cells }) => cells)]).split('\n');
  return [
    "heed's templates beside each other",
    `${head}  template`,
    ...texts.map((text, i) => `${text}  ${lines[i]?.ran}`),
  ].join('\n');
}

/** What the numbers say about the goals. */
export function verdict(measured: readonly Measured[], flops: number): string {
  const compared = measured.flatMap(({ row }) => {
    const own = medianOf(row.cells[HEED]);
    const [fastest] = peersOf(row);
    return own === undefined || !fastest ? [] : [{ id: row.id, fastest, part: fastest.median / own }];
  });
  const slower = compared.filter(({ part }) => part < 1);
  const untimed = measured.filter(({ row }) => medianOf(row.cells[HEED]) === undefined);
  const goal = measured.filter(({ workload: { id } }) => /^sdpa-.*-4096-64$/.test(id));
  const parts = goal.flatMap(({ workload, row }) => {
    const median = medianOf(row.cells[HEED]);
    return median === undefined
      ? []
      : [`${row.title}: ${((100 * workload.work) / (median / 1000) / flops).toFixed(1)} %`];
  });
  // Where one head's table would be seen beside the inputs.
  const telling = measured.filter(
    ({ workload: { task } }) => bytesOf(task).table > 2 * bytesOf(task).largestInput,
  );
  const allocated = telling.filter(({ workload: { task }, row }) => {
    const { largestBytes } = factsOf(row.cells[HEED]);
    return largestBytes !== undefined && largestBytes >= bytesOf(task).table;
  });
  return [
    'Verdict',
    `heed is faster than every peer that was timed in ${compared.length - slower.length} of ${compared.length} rows.`,
    ...slower.map(
      ({ id, fastest, part }) => `slower: ${id}, ${fastest.name} takes ${ratio(part)} of its time`,
    ),
    ...untimed.map(({ row }) => `not timed: ${row.id}: ${reasonOf(row.cells[HEED])}`),
    parts.length > 0
      ? `Of the measured rate at feature 64, length 4096 (the goal on a GPU is 40 %): ${parts.join('; ')}.`
      : 'Feature 64, length 4096 was not measured: nothing is said of the part of the rate that is reached.',
    telling.length === 0
      ? 'No row is long enough to tell from its buffers whether queries x keys was allocated.'
      : allocated.length === 0
        ? `No buffer was as large as queries x keys of one head, in the ${telling.length} rows long enough to tell.`
        : `A buffer was as large as queries x keys of one head: ${allocated.map(({ row }) => row.id).join(' ')}.`,
  ].join('\n');
}
