// What was asked for on the command line.

import { parseArgs } from 'node:util';
import { systems } from './systems.ts';
import { workloads } from './workloads/index.ts';

export const START = 'start';
export const SIZE = 'size';

export interface Options {
  /** Beginnings of row names; empty for all rows. */
  readonly rows: readonly string[];
  /** Time spent on each cell. */
  readonly seconds: number;
  readonly threads: readonly number[];
  readonly systems: readonly string[];
}

export const usage = `npm run bench [-- options]
  --backend webgpu       another table, with options of its own
  --rows sdpa,additive   rows whose names begin so; all if left out
  --seconds 1            time for each cell
  --threads 1,2          thread counts, one table each
  --systems heed,jax-js  what to measure; heed always is
rows: ${[...workloads.map(({ id }) => id), START, SIZE].join(' ')}
systems: ${systems.map(({ name }) => name).join(' ')}`;

/** @throws Error that says how it is used. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: args.filter((one) => one !== '--'),
    options: {
      backend: { type: 'string', default: 'cpu' },
      rows: { type: 'string', default: '' },
      seconds: { type: 'string', default: '1' },
      threads: { type: 'string', default: '1,2' },
      systems: { type: 'string', default: systems.map(({ name }) => name).join(',') },
    },
  });
  const list = (text: string): string[] => text.split(',').filter((one) => one !== '');
  const rows = list(values.rows);
  const names = [...workloads.map(({ id }) => id), START, SIZE];
  for (const row of rows)
    if (!names.some((name) => name.startsWith(row))) throw new Error(`no row begins with "${row}"`);
  const known = systems.map(({ name }) => name);
  const asked = list(values.systems);
  for (const name of asked) if (!known.includes(name)) throw new Error(`there is no system "${name}"`);
  const seconds = Number(values.seconds);
  const threads = list(values.threads).map(Number);
  if (!(seconds > 0)) throw new Error(`--seconds expects a number above 0, got ${values.seconds}`);
  if (threads.length === 0 || threads.some((one) => !Number.isSafeInteger(one) || one < 1))
    throw new Error(`--threads expects whole numbers of at least 1, got ${values.threads}`);
  return { rows, seconds, threads, systems: known.filter((name) => name === 'heed' || asked.includes(name)) };
}

export const wants = ({ rows }: Options, id: string): boolean =>
  rows.length === 0 || rows.some((row) => id.startsWith(row));
