// How far a prediction is from what was held back, and what it has to beat: three guesses that need no attention.

import type { Series, Step } from './series.ts';

export interface HeldError {
  /** Root mean square, °C; NaN when nothing was predicted. */
  readonly rmse: number;
  /** Held-back steps with a prediction. */
  readonly predicted: number;
  readonly held: number;
}

/** The error on the steps that `which` picks. A step without a prediction (NaN) is counted, not guessed. */
export function errorOf(
  { steps }: Series,
  predictions: ArrayLike<number>,
  which: (step: Step) => boolean = ({ held }) => held,
): HeldError {
  const chosen = steps.flatMap((step, at) => (which(step) ? [step.temperature - predictions[at]!] : []));
  const known = chosen.filter((miss) => !Number.isNaN(miss));
  return {
    rmse: Math.sqrt(mean(known.map((miss) => miss * miss))),
    predicted: known.length,
    held: chosen.length,
  };
}

/** Each predicts every step from the observed ones, before and after it. */
export const baselines = {
  mean: {
    label: 'mean of all',
    predict: ({ steps }) => steps.map(() => meanOf(steps)),
  },
  moving: {
    label: 'moving average',
    predict: ({ steps, block }) =>
      steps.map((_, at) => meanOf(steps.slice(Math.max(0, at - block), at + block + 1))),
  },
  season: {
    label: 'same time of other years',
    predict: ({ steps, length }) =>
      steps.map(({ day }) => meanOf(steps.filter((other) => yearsApart(other.day - day, length)))),
  },
} as const satisfies Record<string, { label: string; predict: (series: Series) => readonly number[] }>;

/** Some whole years apart, give or take one step. */
function yearsApart(days: number, length: number): boolean {
  const years = Math.round(days / 365.25);
  return years !== 0 && Math.abs(days - years * 365.25) <= length;
}

const meanOf = (steps: readonly Step[]): number =>
  mean(steps.filter(({ held }) => !held).map(({ temperature }) => temperature));

const mean = (numbers: readonly number[]): number =>
  numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
