// Places on the axes: from steps to dates, and back from where somebody points.

import type { Series } from 'weather';

const DAY = 86_400_000;

/** The middle of a step, in time. */
export const middleOf = ({ steps, length }: Series, step: number): Date =>
  new Date(steps[step]!.date.getTime() + (length / 2) * DAY);

/** The step that a date lies in, or the first or last one. */
export function nearestStep({ steps, length }: Series, date: Date): number {
  const at = Math.floor((date.getTime() - steps[0]!.date.getTime()) / (length * DAY));
  return Math.max(0, Math.min(steps.length - 1, at));
}

const day = new Intl.DateTimeFormat('en', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  timeZone: 'UTC',
});

/** A step in words: "week of 4 Feb 2013", "4 Feb 2015". */
export const nameOf = ({ steps, length }: Series, step: number): string => {
  const parts = Object.fromEntries(
    day.formatToParts(steps[step]!.date).map(({ type, value }) => [type, value]),
  );
  const date = `${parts.day} ${parts.month} ${parts.year}`;
  return length === 1 ? date : `week of ${date}`;
};
