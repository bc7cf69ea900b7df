// One row: every system computes the same task, those that are right are timed in turns.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agreement } from './agree.ts';
import { draw, save } from './inputs.ts';
import { type Measured, summary } from './measure.ts';
import type { Facts } from './protocol.ts';
import type { Runner } from './runner.ts';
import { HEED } from './systems.ts';
import { type Truth, truthOf } from './truth.ts';
import type { Workload } from './workload.ts';

/** A cell of the table: a time, or why there is none. */
export type Cell =
  | {
      readonly kind: 'timed';
      readonly time: Measured;
      /** Which of its ways the system was fastest in. */
      readonly way: string;
      /** The largest difference of its results from float64. */
      readonly difference: number;
      /** Ways that failed or gave other results. */
      readonly notes: readonly string[];
      /** What the system tells about what ran, where it does. */
      readonly facts?: Facts;
    }
  | { readonly kind: 'empty'; readonly reason: string };

export interface Row {
  readonly id: string;
  readonly title: string;
  readonly work?: number;
  readonly threads: number;
  readonly cells: Readonly<Record<string, Cell>>;
  /** heed's time for another task, taken in the same turns. */
  readonly beside?: { readonly id: string; readonly title: string; readonly cell: Cell };
}

/** Turns that the time of a cell is divided into, so that a noisy moment hits every system alike. */
const TURNS = 3;
/** Five runs at least; of slow ones not a sixth. */
const leastOf = ({ once }: Ready, turn: number): number => (once > 2000 && turn === 0 ? 1 : 2);
/** A single run that takes longer is the only one. */
const LONG = 20_000;

interface Ready {
  readonly runner: Runner;
  readonly id: string;
  readonly way: string;
  readonly difference: number;
  readonly notes: readonly string[];
  readonly once: number;
  readonly times: number[];
  failed?: string;
  facts?: Facts;
}

const empty = (reason: string): Cell => ({ kind: 'empty', reason });

export async function compete(
  { id, title, task, work, without = {}, beside }: Workload,
  runners: readonly Runner[],
  seconds: number,
): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), 'heed-bench-'));
  const cells: Record<string, Cell> = {};
  const ready: Ready[] = [];
  try {
    const truth = setUp(join(folder, id), task);
    for (const runner of runners) {
      const known = without[runner.name];
      const outcome = known ?? (await prepare(runner, id, task, join(folder, id), truth, seconds));
      if (typeof outcome === 'string') cells[runner.name] = empty(outcome);
      else ready.push(outcome);
    }
    const wrong = cells[HEED]?.kind === 'empty' && /differs from float64/.test(cells[HEED].reason);
    const other = wrong ? undefined : await prepareBeside(beside, runners, folder, seconds);
    const timed = typeof other === 'object' ? [...ready, other] : ready;
    if (!wrong) {
      await takeTurns(timed, seconds);
      await askForFacts(timed);
    }
    for (const one of ready)
      cells[one.runner.name] = wrong ? empty("not timed: heed's results do not agree") : cellOf(one);
    const besideCell = typeof other === 'object' ? cellOf(other) : empty(other ?? 'not timed');
    return {
      id,
      title,
      ...(work === undefined ? {} : { work }),
      threads: runners[0]?.threads ?? 1,
      cells,
      ...(beside ? { beside: { id: beside.id, title: beside.title, cell: besideCell } } : {}),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function setUp(folder: string, task: Workload['task']): Truth {
  mkdirSync(folder, { recursive: true });
  const arrays = draw(task);
  for (const [name, numbers] of Object.entries(arrays)) save(folder, name, numbers);
  return truthOf(task, arrays);
}

async function prepareBeside(
  beside: Workload | undefined,
  runners: readonly Runner[],
  folder: string,
  seconds: number,
): Promise<Ready | string | undefined> {
  const runner = runners.find(({ name }) => name === HEED);
  if (!beside || !runner) return undefined;
  const { id, task } = beside;
  const place = join(folder, id);
  const truth = setUp(place, task);
  return prepare(runner, `beside ${id}`, task, place, truth, seconds);
}

/** A system that is ready to be timed, or the reason why it is not. */
async function prepare(
  runner: Runner,
  id: string,
  task: Workload['task'],
  folder: string,
  truth: Truth,
  seconds: number,
): Promise<Ready | string> {
  const prepared = await runner.ask<'prepare'>({ ask: 'prepare', id, task, folder });
  if ('cannot' in prepared) return prepared.cannot;
  const judged = prepared.ways.map((way) => ({ way, ...agreement(truth, way) }));
  const right = judged.filter(({ complaint }) => complaint === undefined);
  const notes = judged.flatMap(({ complaint }) => complaint ?? []);
  if (right.length === 0) return notes.join('; ');
  const chosen = await runner.ask<'choose'>({
    ask: 'choose',
    id,
    ways: right.map(({ way }) => way.name),
    seconds,
  });
  if ('cannot' in chosen) return chosen.cannot;
  const { way, once } = chosen;
  const difference = right.find((one) => one.way.name === way)?.difference ?? Number.NaN;
  return { runner, id, way, once, difference, notes, times: once > LONG ? [once] : [] };
}

async function takeTurns(ready: readonly Ready[], seconds: number): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) {
    for (const one of ready) {
      if (one.once > LONG || one.failed) continue;
      const reply = await one.runner.ask<'time'>({
        ask: 'time',
        id: one.id,
        seconds: seconds / TURNS,
        least: leastOf(one, turn),
      });
      if ('cannot' in reply) one.failed = reply.cannot;
      else one.times.push(...reply.times);
    }
  }
}

/** After all times were taken: to find out more, a system may run something else. */
async function askForFacts(ready: readonly Ready[]): Promise<void> {
  for (const one of ready) {
    if (one.failed) continue;
    const reply = await one.runner.ask<'facts'>({ ask: 'facts', id: one.id });
    one.facts = 'cannot' in reply ? { notes: [`nothing is known of it: ${reply.cannot}`] } : reply;
  }
}

const cellOf = ({ times, way, difference, notes, failed, facts }: Ready): Cell =>
  failed
    ? empty(failed)
    : { kind: 'timed', time: summary(times), way, difference, notes, ...(facts ? { facts } : {}) };
