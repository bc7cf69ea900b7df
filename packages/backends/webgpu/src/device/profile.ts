// What ran, how much it had to do, and how long it took.

import type { ProgramKind } from '@heed/tensor';
import type { Plan } from '../emit/plan.ts';

export interface ProfiledDispatch {
  /** Names the shader within its program. */
  readonly key: string;
  readonly groups: number;
  /** By the device's clock; null where it has none, or gave no answer. */
  nanoseconds: number | null;
}

/** One call of a program. */
export interface ProfiledRun {
  readonly program: ProgramKind;
  /** Counted from the program: operations done, bytes read and written. */
  readonly work: Plan['work'];
  readonly dispatches: readonly ProfiledDispatch[];
}

export interface Profile {
  /** Why there are no times; null where there are. */
  readonly untimed: string | null;
  readonly runs: readonly ProfiledRun[];
}
