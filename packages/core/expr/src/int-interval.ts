// Intervals of ints, exact: 32-bit two's complement, so that what may wrap may be any int.

import type { Interval, Range } from './interval.ts';
import { INT_HIGH, INT_LOW } from './meaning.ts';

export const everyInt: Range = { low: INT_LOW, high: INT_HIGH, nan: false };

export const fits = ({ low, high }: Interval): boolean => low >= INT_LOW && high <= INT_HIGH;

/** The interval if no int of it wraps, every int otherwise. */
const kept = (low: number, high: number): Range =>
  fits({ low, high }) ? { low: low + 0, high: high + 0, nan: false } : everyInt;

export const negInt = (a: Interval): Range => kept(-a.high, -a.low);
export const absInt = ({ low, high }: Interval): Range =>
  kept(low > 0 ? low : high < 0 ? -high : 0, Math.max(Math.abs(low), Math.abs(high)));
export const addInts = (a: Interval, b: Interval): Range => kept(a.low + b.low, a.high + b.high);
export const subInts = (a: Interval, b: Interval): Range => kept(a.low - b.high, a.high - b.low);
export const mulInts = (a: Interval, b: Interval): Range => keptCorners(a, b, (x, y) => x * y);

export const floorDivInts = (a: Interval, b: Interval): Range =>
  bySign(b, (part) => keptCorners(a, part, (x, y) => Math.floor(x / y)));

export const modInts = (a: Interval, b: Interval): Range =>
  bySign(b, (part) => {
    if (part.low > 0) return modPositive(a, part);
    // mod(a, -b) = -mod(-a, b); -a is not taken as an int here, it cannot wrap.
    const { low, high } = modPositive({ low: -a.high, high: -a.low }, { low: -part.high, high: -part.low });
    return kept(-high, -low);
  });

function modPositive(a: Interval, { low: least, high: most }: Interval): Range {
  if (a.low >= 0 && a.high < least) return kept(a.low, a.high);
  const period = Math.floor(a.low / least);
  if (least === most && period === Math.floor(a.high / least)) {
    return kept(a.low - period * least, a.high - period * least);
  }
  return kept(0, a.low >= 0 ? Math.min(most - 1, a.high) : most - 1);
}

/** Below zero, zero (which gives 0) and above zero on their own, then together. */
function bySign(b: Interval, of: (part: Interval) => Range): Range {
  const parts: Interval[] = [];
  if (b.low < 0) parts.push(of({ low: b.low, high: Math.min(b.high, -1) }));
  if (b.low <= 0 && b.high >= 0) parts.push({ low: 0, high: 0 });
  if (b.high > 0) parts.push(of({ low: Math.max(b.low, 1), high: b.high }));
  return kept(Math.min(...parts.map(({ low }) => low)), Math.max(...parts.map(({ high }) => high)));
}

function keptCorners(a: Interval, b: Interval, f: (x: number, y: number) => number): Range {
  const corners = [f(a.low, b.low), f(a.low, b.high), f(a.high, b.low), f(a.high, b.high)];
  return kept(Math.min(...corners), Math.max(...corners));
}
