// A series: steps of equal length on one axis, some of them held back. Queries and keys are the same steps, so that a
// place in the attention is a place in time: a causal mask is "the past", a window is a number of steps.

import type { Day } from './record.ts';

export interface Step {
  /** The first day of the step. */
  readonly date: Date;
  /** The middle of the step, in days since the series began. */
  readonly day: number;
  /** The mean of its days' highest temperatures, °C. */
  readonly temperature: number;
  /** Held back: never a key. Only what is predicted for it is compared with it. */
  readonly held: boolean;
}

export interface Series {
  readonly steps: readonly Step[];
  /** Days in a step. */
  readonly length: number;
  /** Steps in a block that is held back as one. */
  readonly block: number;
}

export const resolutions = {
  weekly: { label: 'weekly, 2012–2015', unit: 'week', length: 7, block: 4, from: 2012 },
  daily: { label: 'daily, 2015', unit: 'day', length: 1, block: 7, from: 2015 },
} as const;
export type Resolution = keyof typeof resolutions;

/**
 * Cuts a record into steps and holds a quarter of them back, in whole blocks: a gap of weeks cannot be filled from the
 * days beside it, so the error tells a good fit from one that only repeats its neighbours.
 */
export function seriesOf(record: readonly Day[], resolution: Resolution): Series {
  const { length, block, from } = resolutions[resolution];
  const days = record.filter(({ date }) => date.getUTCFullYear() >= from);
  const count = Math.floor(days.length / length);
  const held = heldBlocks(Math.ceil(count / block));
  const steps = Array.from({ length: count }, (_, at): Step => {
    const own = days.slice(at * length, (at + 1) * length);
    return {
      date: own[0]!.date,
      day: (at + 0.5) * length,
      temperature: own.reduce((sum, { temperature }) => sum + temperature, 0) / length,
      held: held.has(Math.floor(at / block)),
    };
  });
  return { steps, length, block };
}

/** One block of each four, drawn with a fixed seed. The first four stay, so that the past is never empty. */
function heldBlocks(count: number): ReadonlySet<number> {
  const random = mulberry32(12);
  const held = new Set<number>();
  for (let first = 4; first < count; first += 4)
    held.add(first + Math.floor(random() * Math.min(4, count - first)));
  return held;
}

/** Tommy Ettinger's mulberry32: the same numbers in [0, 1) on every machine. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
