// The benchmark of the WebGPU backend: one command, everything in one run on one adapter. See ../../README.md.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { chart } from '../chart.ts';
import { compete, type Row } from '../compete.ts';
import { installPeers } from '../install.ts';
import { Runner } from '../runner.ts';
import { measureSizes, type SizeRow } from '../size.ts';
import { HEED } from '../systems.ts';
import { medianOf, precise, ratiosOf, sizeTable } from '../table.ts';
import type { Workload } from '../workload.ts';
import { type Adapter, findAdapter } from './adapter.ts';
import { type Options, readOptions, SIZE, TEMPLATES, usage, wants } from './options.ts';
import { PLAIN, systems } from './systems.ts';
import { account, againstItself, dropped, type Measured, templates, times, verdict } from './table.ts';
import { leftOut, templateRows, workloads } from './workloads.ts';

/** Seconds that one run may take at the measured rate, where nothing is said. In software peers reach a hundredth of it. */
const BUDGET = { software: 0.012, device: 2 };

function start(): { readonly asked: Options; readonly adapter: Adapter } {
  try {
    const asked = readOptions(process.argv.slice(2));
    return { asked, adapter: findAdapter(asked.adapter) };
  } catch (problem) {
    console.error(`${problem instanceof Error ? problem.message : problem}\n\n${usage}`);
    process.exit(2);
  }
}

const results = new URL('../../results/', import.meta.url);
/** What is there of a table that is not whole, or not yet. */
const PART = 'webgpu-part';

/** What a run leaves, as far as another one can go on from it. */
interface Left {
  readonly adapter: Adapter['probe'];
  readonly seconds: number;
  readonly systems: Readonly<Record<string, string>>;
  readonly rows: readonly Row[];
}

/** What the last run left, if it was made as this one is to be. */
function leftBefore(adapter: Adapter, { resume, seconds, systems: names }: Options): Left | undefined {
  const file = new URL(`${PART}.json`, results);
  if (!resume || !existsSync(file)) return undefined;
  const left = JSON.parse(readFileSync(file, 'utf8')) as Left;
  const alike = left.adapter.name === adapter.probe.name && left.seconds === seconds;
  const rows = left.rows.filter(({ cells }) => names.every((one) => Object.hasOwn(cells, one)));
  return alike ? { ...left, rows } : undefined;
}

const { asked, adapter } = start();
const before = leftBefore(adapter, asked);
if (asked.systems.some((name) => name !== HEED)) installPeers();
// The rate was measured with the rows.
const { name, software, subgroups, half, clock, rate } = before?.adapter ?? adapter.probe;
const { flops, design } = rate;
const machine = [
  `${name}; subgroups of ${subgroups}, ${half ? '' : 'no '}16-bit floats, ${clock ? '' : 'no '}clock`,
  `multiply-adds in float32: ${precise(flops / 1e9)} GFLOP/s, by ${design.chains} chains of four in each of ${design.invocations} invocations${design.fused ? '' : ', without fma'}`,
  `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} threads, Node ${process.version}`,
];
if (before) machine.splice(2, 0, `${before.rows.length} rows of a run that was ended before are kept`);
console.log(machine.join('\n'));

const budget = asked.budget ?? (software ? BUDGET.software : BUDGET.device);
const wanted = workloads.filter(({ id }) => wants(asked, id));
const known = new Map(before?.rows.map((row) => [row.id, row]));
const absent = wanted.flatMap((workload) => {
  const late = asked.finish && !known.has(workload.id) ? 'the run was ended before it' : undefined;
  const reason = leftOut(workload, software, flops, budget) ?? late;
  return reason === undefined ? [] : [{ id: workload.id, reason }];
});
for (const { id, reason } of absent) console.log(`left out: ${id}: ${reason}`);
const chosen = wanted.filter(({ id }) => !absent.some((one) => one.id === id));

const abouts: Record<string, string> = { ...before?.systems };

/** New processes for each row, all on the one adapter. */
async function measure(workload: Workload, names: readonly string[]): Promise<Row> {
  const runners = systems
    .filter((one) => names.includes(one.name))
    .map((system) => new Runner('webgpu', system, { env: adapter.env }));
  const row = await compete(workload, runners, asked.seconds);
  for (const runner of runners) {
    if (runner.about) abouts[runner.name] = runner.about;
    runner.stop();
  }
  return row;
}

const shown = (row: Row): string =>
  Object.entries(row.cells)
    .map(([system, cell]) => {
      const median = medianOf(cell);
      return `${system} ${median === undefined ? '-' : precise(median)}`;
    })
    .join(', ');

const measured: Measured[] = [];
const beside: Row[] = [];
let sizes: readonly SizeRow[] = [];

/** Writes what has been measured so far. */
function write(file: string): { readonly text: string; readonly files: string } {
  const rows = measured.map(({ row }) => row);
  const text = [
    machine.join('\n'),
    ...(rows.length > 0
      ? [times(measured, asked.systems), dropped(measured), account(measured, flops), templates(measured)]
      : []),
    againstItself(beside),
    ...(sizes.length > 0 ? [sizeTable(sizes)] : []),
    ...(rows.length > 0 ? [verdict(measured, flops)] : []),
    ...(absent.length > 0
      ? [`Left out\n${absent.map(({ id, reason }) => `${id}: ${reason}`).join('\n')}`]
      : []),
  ]
    .filter((one) => one !== '')
    .join('\n\n');
  mkdirSync(results, { recursive: true });
  const json = {
    machine: machine.at(-1),
    adapter: before?.adapter ?? adapter.probe,
    seconds: asked.seconds,
    budget,
    systems: abouts,
    leftOut: absent,
    rows: rows.map((row) => ({ ...row, ratios: ratiosOf(row) })),
    templates: beside,
    sizes,
  };
  writeFileSync(new URL(`${file}.json`, results), `${JSON.stringify(json, null, 2)}\n`);
  writeFileSync(new URL(`${file}.txt`, results), `${text}\n`);
  const picture = chart(rows, systems, `Medians in milliseconds. ${name}`, () => name);
  if (picture) writeFileSync(new URL(`${file}.svg`, results), picture);
  return { text, files: `${file}.{json,txt${picture ? ',svg' : ''}}` };
}

for (const [at, workload] of chosen.entries()) {
  const row = known.get(workload.id) ?? (await measure(workload, asked.systems));
  measured.push({ workload, row });
  console.log(`[${at + 1}/${chosen.length}] ${workload.title}, ms: ${shown(row)}`);
  write(PART);
}

if (wants(asked, TEMPLATES)) {
  for (const { id, by, workload } of templateRows(software)) {
    if (by === 'subgroups' && subgroups === 'none') {
      console.log(`left out: ${id}: the adapter has no subgroup operations to compare with`);
      continue;
    }
    const row = await measure(workload, by === 'subgroups' ? [HEED, PLAIN] : [HEED]);
    beside.push({ ...row, id });
    console.log(`${id}, ms: ${shown(row)}`);
  }
}

if (wants(asked, SIZE)) sizes = await measureSizes('webgpu', asked.systems);

// A part of the table never takes the place of the whole.
const whole =
  asked.rows.length === 0 && asked.systems.length === systems.length - 1 && asked.budget === undefined;
const { text, files } = write(whole ? 'webgpu' : PART);
console.log(`\n${text}\n\nWritten to benchmarks/results/${files}`);
