// Which crew there can be here: this thread and others, others alone, or this thread alone.

import { startApart } from './apart.ts';
import { type Compile, compilePlain } from './compile.ts';
import type { Recruit } from './crew.ts';
import { Here } from './here.ts';
import { defaultThreads, whyOneThread } from './host.ts';
import { Team } from './team.ts';
import { mayBlock } from './wait.ts';

/** Who will do the work, before there is a memory and before it is known how kernels are compiled. */
export interface Recruits {
  readonly threads: number;
  /** @param compile how kernels are compiled, where this thread does that. */
  recruit(compile: Compile, notes: readonly string[]): Recruit;
}

/**
 * @param wanted how many threads; as many as the hardware runs at once, within reason, if undefined.
 * @param shared whether memory can be shared.
 */
export async function findRecruits(wanted: number | undefined, shared: boolean): Promise<Recruits> {
  const threads = wanted ?? defaultThreads();
  if (threads === 1) return here(1, 'one thread');
  const why = whyOneThread(shared);
  if (why !== null) return here(1, `one thread: ${why}`);
  if (mayBlock()) return here(threads, `${threads} threads`);
  try {
    const apart = await startApart(threads);
    return {
      threads,
      recruit: (_, notes) => (memory, places) => apart(memory, places, [`${threads} threads`, ...notes]),
    };
  } catch (error) {
    return here(1, `one thread: others cannot begin (${(error as Error).message})`);
  }
}

const here = (threads: number, note: string): Recruits => ({
  threads,
  recruit: (compile, notes) => (memory, places) =>
    new Here({
      memory,
      places,
      compile,
      helpers: threads === 1 ? null : (lost) => new Team({ memory, threads, lost }),
      notes: [note, ...notes],
    }),
});

/** One thread. @param rehearse for tests: the work is done in the shares of so many, the last one first. */
export const alone =
  (rehearse = 1): Recruit =>
  (memory, places) =>
    new Here({ memory, places, compile: compilePlain, helpers: null, notes: [], rehearse });
