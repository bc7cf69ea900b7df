// What the benchmark says to the process of a system and hears from it: one line of JSON each way.

import type { Task } from './task.ts';

export type Request =
  /** Makes every way ready, runs each, and leaves its results in files. */
  | { readonly ask: 'prepare'; readonly id: string; readonly task: Task; readonly folder: string }
  /** Warms each of the given ways for so long, and keeps the fastest. */
  | {
      readonly ask: 'choose';
      readonly id: string;
      readonly ways: readonly string[];
      readonly seconds: number;
    }
  /** Runs for about so long, and at least so often. */
  | { readonly ask: 'time'; readonly id: string; readonly seconds: number; readonly least: number }
  /** What is known of the way that was timed. */
  | { readonly ask: 'facts'; readonly id: string };

/** What a system tells about one run of what was timed, as far as it knows. */
export interface Facts {
  /** What was chosen: templates, tiles. */
  readonly notes?: readonly string[];
  /** Operations done and bytes read and written, counted from the programs that ran. */
  readonly operations?: number;
  readonly bytes?: number;
  /** Milliseconds by the clock of the device. */
  readonly deviceMs?: number;
  /** Bytes of buffers that lived at once, inputs and results included, and of the largest one. */
  readonly peakBytes?: number;
  readonly largestBytes?: number;
}

export interface PreparedWay {
  readonly name: string;
  /** Files of raw float32, one for each result; none where the way failed. */
  readonly files: readonly string[];
  readonly failed?: string;
}

export interface Replies {
  readonly open: { readonly about: string };
  readonly prepare: { readonly ways: readonly PreparedWay[] };
  /** The way that was kept, and the milliseconds of one run of it. */
  readonly choose: { readonly way: string; readonly once: number };
  readonly time: { readonly times: readonly number[] };
  readonly facts: Facts;
}

/** Instead of any reply: a sentence that says why there is none. */
export interface Refusal {
  readonly cannot: string;
}
