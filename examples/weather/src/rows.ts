// Rows: what a query and a key know of their step. The score sees nothing else, so this choice says what "alike" can mean.

import { YEAR_RADIUS } from './scores.ts';
import type { Series, Step } from './series.ts';

/** Near each other, two seasons are as far apart as their days. */
const season = ({ day }: Step): readonly number[] => [
  YEAR_RADIUS * Math.cos(day / YEAR_RADIUS),
  YEAR_RADIUS * Math.sin(day / YEAR_RADIUS),
];

export const rowKinds = {
  season: {
    label: 'season',
    about: 'The place on the circle of the year: the same weeks of other years lie at distance 0.',
    features: ['season x', 'season y'],
    of: season,
  },
  day: {
    label: 'day',
    about: 'The place in time: only what is close in time is alike.',
    features: ['day'],
    of: ({ day }: Step): readonly number[] => [day],
  },
  both: {
    label: 'season and year',
    about: 'The circle of the year, drawn out into a spiral: a year apart counts as 18 days.',
    features: ['season x', 'season y', 'day / 20'],
    of: (step: Step): readonly number[] => [...season(step), step.day / 20],
  },
} as const satisfies Record<string, RowKind>;
export type Rows = keyof typeof rowKinds;

export interface RowKind {
  readonly label: string;
  readonly about: string;
  /** What each number of a row is, in days all. */
  readonly features: readonly string[];
  readonly of: (step: Step) => readonly number[];
}

/** One row for each step: [step, feature]. They serve as queries and as keys. */
export const rowsOf = ({ steps }: Series, rows: Rows): number[][] =>
  steps.map((step) => [...rowKinds[rows].of(step)]);
