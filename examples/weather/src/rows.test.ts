import { describe, expect, it } from 'vitest';
import { type Rows, rowsOf } from './rows.ts';

const apart = (rows: Rows, days: number): number => {
  const steps = [100, 100 + days].map((day) => ({ day, date: new Date(0), temperature: 0, held: false }));
  const [a, b] = rowsOf({ steps, length: 1, block: 1 }, rows);
  return Math.hypot(...a!.map((one, feature) => one - b![feature]!));
};

describe('rowsOf', () => {
  it('lays a year around a circle: distances are days nearby, and the next year is the same place', () => {
    expect(apart('season', 7)).toBeCloseTo(7, 1);
    expect(apart('season', 365.25)).toBeCloseTo(0, 9);
  });

  it('draws the circle out so that a year apart counts as 18 days', () => {
    expect(apart('both', 365.25)).toBeCloseTo(365.25 / 20, 9);
  });

  it('knows nothing of seasons by the day alone', () => {
    expect(apart('day', 365.25)).toBe(365.25);
  });
});
