// What was asked for on the command line.

import { parseArgs } from 'node:util';
import { HEED } from '../systems.ts';
import { PLAIN, systems } from './systems.ts';
import { workloads } from './workloads.ts';

export const TEMPLATES = 'templates';
export const SIZE = 'size';

export interface Options {
  /** A part of the adapter's name. */
  readonly adapter: string | undefined;
  /** Beginnings of row names; empty for all rows that the device is fast enough for. */
  readonly rows: readonly string[];
  /** Time spent on each cell. */
  readonly seconds: number;
  /** Seconds that one run of a row may take at the measured rate; by the kind of device if left out. */
  readonly budget: number | undefined;
  /** Whether the rows of the last run, if it was ended on the same adapter, are kept and not run again. */
  readonly resume: boolean;
  /** Whether rows that are not there yet are left out, and what is there is the table. */
  readonly finish: boolean;
  /** What is compared, heed first. */
  readonly systems: readonly string[];
}

const measured = systems.map(({ name }) => name).filter((name) => name !== PLAIN);

export const usage = `npm run bench -- --backend webgpu [options]
  --adapter SwiftShader  a part of the adapter's name, or llvmpipe; what the platform gives if left out
  --rows sdpa,additive   rows whose names begin so; all if left out
  --budget 0.02          seconds that one run may take at the measured rate; rows beyond are left out
  --seconds 1            time for each cell
  --resume               keeps the rows of a run that was ended before all were there
  --finish               with --resume: runs none of the other rows, and writes the table of those that are there
  --systems heed,jax-js  what to measure; heed always is
rows: ${[...workloads.map(({ id }) => id), TEMPLATES, SIZE].join(' ')}
systems: ${measured.join(' ')}`;

/** @throws Error that says how it is used. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: args.filter((one) => one !== '--'),
    options: {
      backend: { type: 'string' },
      adapter: { type: 'string' },
      rows: { type: 'string', default: '' },
      budget: { type: 'string' },
      seconds: { type: 'string', default: '1' },
      resume: { type: 'boolean', default: false },
      finish: { type: 'boolean', default: false },
      systems: { type: 'string', default: measured.join(',') },
    },
  });
  const list = (text: string): string[] => text.split(',').filter((one) => one !== '');
  const positive = (name: string, text: string): number => {
    if (!(Number(text) > 0)) throw new Error(`--${name} expects a number above 0, got ${text}`);
    return Number(text);
  };
  const rows = list(values.rows);
  const names = [...workloads.map(({ id }) => id), TEMPLATES, SIZE];
  for (const row of rows)
    if (!names.some((name) => name.startsWith(row))) throw new Error(`no row begins with "${row}"`);
  const asked = list(values.systems);
  for (const name of asked) if (!measured.includes(name)) throw new Error(`there is no system "${name}"`);
  return {
    adapter: values.adapter,
    rows,
    seconds: positive('seconds', values.seconds),
    resume: values.resume || values.finish,
    finish: values.finish,
    budget: values.budget === undefined ? undefined : positive('budget', values.budget),
    systems: measured.filter((name) => name === HEED || asked.includes(name)),
  };
}

export const wants = ({ rows }: Options, id: string): boolean =>
  rows.length === 0 || rows.some((row) => id.startsWith(row));
