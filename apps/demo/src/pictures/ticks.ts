// Ticks for an axis of steps: where years begin, or months within one year.

import type { Series } from 'weather';

export interface Tick {
  readonly at: number;
  readonly label: string;
}

const month = new Intl.DateTimeFormat('en', { month: 'short', timeZone: 'UTC' });

export function ticksOf({ steps, length }: Series, narrow: boolean): readonly Tick[] {
  return steps.flatMap(({ date }, at) => {
    const before = steps[at - 1]?.date;
    const newYear = before?.getUTCFullYear() !== date.getUTCFullYear();
    if (newYear && (length > 1 || at === 0)) {
      return [{ at, label: length > 1 ? String(date.getUTCFullYear()) : month.format(date) }];
    }
    const newMonth = before?.getUTCMonth() !== date.getUTCMonth();
    const every = length > 1 ? 6 : narrow ? 3 : 1;
    if (!newMonth || date.getUTCMonth() % every !== 0 || (length > 1 && narrow)) return [];
    return [{ at, label: month.format(date) }];
  });
}
