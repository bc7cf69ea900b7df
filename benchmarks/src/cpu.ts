// The benchmark of the CPU backend: one command, everything in one run on one machine. See ../README.md.

import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { chart } from './chart.ts';
import { compete, type Row } from './compete.ts';
import { installPeers, torchMissing } from './install.ts';
import { type Options, readOptions, SIZE, START, usage, wants } from './options.ts';
import { Runner } from './runner.ts';
import { measureSizes } from './size.ts';
import { measureStarts } from './start.ts';
import { HEED, systems } from './systems.ts';
import { againstItself, medianOf, precise, ratiosOf, sizeTable, startTable, table } from './table.ts';
import { workloads } from './workloads/index.ts';

function options(): Options {
  try {
    return readOptions(process.argv.slice(2));
  } catch (problem) {
    console.error(`${problem instanceof Error ? problem.message : problem}\n\n${usage}`);
    process.exit(2);
  }
}

const asked = options();
/** The systems that this machine can run, after what they need was looked for. */
const present = asked.systems.filter((name) => !name.startsWith('torch'));
if (present.some((name) => !name.startsWith(HEED))) installPeers();
const missing = asked.systems.some((name) => name.startsWith('torch')) ? torchMissing() : 'not asked for';
if (missing === undefined) present.push(...asked.systems.filter((name) => name.startsWith('torch')));
else console.log(`PyTorch is left out: ${missing}.`);

const abouts: Record<string, string> = {};
const rows: Row[] = [];
const chosen = workloads.filter(({ id }) => wants(asked, id));
for (const threads of asked.threads) {
  for (const [at, workload] of chosen.entries()) {
    // New processes for each row: what one row leaves behind, memory above all, is not the next one's trouble.
    const runners = systems
      .filter(({ name }) => present.includes(name))
      .map((system) => new Runner('cpu', system, { threads }));
    const row = await compete(workload, runners, asked.seconds);
    rows.push(row);
    for (const runner of runners) {
      if (runner.about) abouts[runner.name] = runner.about;
      runner.stop();
    }
    const times = present.map((name) => {
      const median = medianOf(row.cells[name]);
      return `${name} ${median === undefined ? '-' : precise(median)}`;
    });
    console.log(`[${threads} x, ${at + 1}/${chosen.length}] ${workload.title}, ms: ${times.join(', ')}`);
  }
}
const starts = wants(asked, START) ? await measureStarts(present) : [];
const sizes = wants(asked, SIZE) ? await measureSizes('cpu', present) : [];

const machine = `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} threads, Node ${process.version}`;
const texts = [
  machine,
  ...(rows.length > 0 ? [table(rows, present), againstItself(rows)] : []),
  ...(starts.length > 0 ? [startTable(starts)] : []),
  ...(sizes.length > 0 ? [sizeTable(sizes)] : []),
].filter((text) => text !== '');
console.log(`\n${texts.join('\n\n')}`);

// A part of the table never takes the place of the whole.
const name = asked.rows.length === 0 && asked.systems.length === systems.length ? 'cpu' : 'cpu-part';
const results = new URL('../results/', import.meta.url);
mkdirSync(results, { recursive: true });
const whole = {
  machine,
  seconds: asked.seconds,
  systems: abouts,
  ...(missing === undefined ? {} : { leftOut: { torch: missing } }),
  rows: rows.map((row) => ({ ...row, ratios: ratiosOf(row) })),
  starts,
  sizes,
};
writeFileSync(new URL(`${name}.json`, results), `${JSON.stringify(whole, null, 2)}\n`);
writeFileSync(new URL(`${name}.txt`, results), `${texts.join('\n\n')}\n`);
const picture = chart(rows, systems, `Medians in milliseconds. ${machine}`);
if (picture) writeFileSync(new URL(`${name}.svg`, results), picture);
console.log(`\nWritten to benchmarks/results/${name}.{json,txt${picture ? ',svg' : ''}}`);
