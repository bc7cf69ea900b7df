// Intervals of floats. Every end is a float32 rounded outward, so that it holds for evaluation in float32 as in float64:
// rounding is monotone and an end is representable, so what rounds cannot pass it.

import { onFloat } from './meaning.ts';
import type { FloatUnary } from './op.ts';

/** Every number from `low` to `high`, both included, infinities too. */
export interface Interval {
  readonly low: number;
  readonly high: number;
  /** Whether the value may also be NaN; left out: no. */
  readonly nan?: boolean;
}

export interface Range extends Interval {
  readonly nan: boolean;
}

/**
 * How far approximations of functions are trusted, relative to the value: 2^-18 is 64 units in the last place of
 * float32, above what WGSL allows for exp, log, tanh, sqrt and division at moderate arguments.
 */
const TRUST = 2 ** -18;
/** WGSL lets log be off by 2^-21 near 1, where it is zero. */
const TRUST_OF_LOG = 2 ** -20;
/** WGSL lets sin and cos be off by 2^-11, whatever their value. */
const TRUST_OF_SINE = 2 ** -10;
const SMALLEST = 2 ** -126;
const LARGEST = (2 - 2 ** -23) * 2 ** 127;

/** The largest float32 that is not above x; small numbers may be flushed to zero. */
function down(x: number): number {
  if (Number.isNaN(x)) return -Infinity;
  if (Math.abs(x) < SMALLEST) return x < 0 ? -SMALLEST : 0;
  const nearest = Math.fround(x);
  if (nearest <= x) return nearest;
  return nearest === Infinity ? LARGEST : Math.fround(nearest - Math.abs(nearest) * 2 ** -23);
}
const up = (x: number): number => 0 - down(-x);

export const around = (low: number, high: number, nan = false): Range => ({
  low: down(low),
  high: up(high),
  nan,
});
/** As `around`, for values that devices only approximate. */
const nearly = (low: number, high: number, nan: boolean): Range =>
  around(low - Math.abs(low) * TRUST, high + Math.abs(high) * TRUST, nan);
const within = ({ low, high, nan }: Range, least: number, most: number): Range => ({
  low: Math.min(Math.max(low, least), most),
  high: Math.max(Math.min(high, most), least),
  nan,
});

export const everything: Range = { low: -Infinity, high: Infinity, nan: true };
export const zero: Range = { low: 0, high: 0, nan: false };

const contains = ({ low, high }: Interval, x: number): boolean => low <= x && x <= high;
export const infinite = ({ low, high }: Interval): boolean => low === -Infinity || high === Infinity;
export const union = (a: Range, b: Range): Range => ({
  low: Math.min(a.low, b.low),
  high: Math.max(a.high, b.high),
  nan: a.nan || b.nan,
});

export const neg = ({ low, high, nan }: Range): Range => ({ low: 0 - high, high: 0 - low, nan });

export const abs = ({ low, high, nan }: Range): Range => ({
  low: low > 0 ? low : high < 0 ? -high : 0,
  high: Math.max(Math.abs(low), Math.abs(high)),
  nan,
});

export const sign = ({ low, high, nan }: Range): Range => ({
  low: Math.sign(low) + 0,
  high: Math.sign(high) + 0,
  nan,
});
const floor = ({ low, high, nan }: Range): Range => ({
  low: Math.floor(low) + 0,
  high: Math.floor(high) + 0,
  nan,
});

export function add(a: Range, b: Range): Range {
  const opposite =
    (a.low === -Infinity && b.high === Infinity) || (a.high === Infinity && b.low === -Infinity);
  return around(a.low + b.low, a.high + b.high, a.nan || b.nan || opposite);
}

export function mul(a: Range, b: Range): Range {
  const nan = a.nan || b.nan || (contains(a, 0) && infinite(b)) || (contains(b, 0) && infinite(a));
  const corners = cornersOf(a, b, (x, y) => (x === 0 || y === 0 ? 0 : x * y));
  return around(corners.low, corners.high, nan);
}

export function div(a: Range, b: Range): Range {
  // A zero may be a negative one, so both infinities can come of it.
  if (contains(b, 0))
    return { ...everything, nan: a.nan || b.nan || contains(a, 0) || (infinite(a) && infinite(b)) };
  if (infinite(a) && infinite(b)) return everything;
  const corners = cornersOf(a, b, (x, y) => x / y);
  return nearly(corners.low, corners.high, a.nan || b.nan);
}

export const minimum = (a: Range, b: Range): Range => ({
  low: Math.min(a.low, b.low),
  high: Math.min(a.high, b.high),
  nan: a.nan || b.nan,
});
export const maximum = (a: Range, b: Range): Range => ({
  low: Math.max(a.low, b.low),
  high: Math.max(a.high, b.high),
  nan: a.nan || b.nan,
});

/** For a positive base a power is monotone in either operand; a negative one is followed for a known whole power. */
export function pow(a: Range, b: Range): Range {
  const nan = a.nan || b.nan;
  if (infinite(b) || (a.low <= 0 && b.low < 0)) return everything;
  if (a.low >= 0) {
    const corners = cornersOf(a, b, (x, y) => x ** y);
    return nearly(corners.low, corners.high, nan);
  }
  if (b.low !== b.high || !Number.isInteger(b.low)) return everything;
  const base = b.low % 2 === 0 ? abs(a) : a;
  return nearly(base.low ** b.low, base.high ** b.low, nan);
}

export function floorDiv(a: Range, b: Range): Range {
  return floor(div(a, b));
}

/** a - b floor(a / b): between 0 and b but for what rounds, which grows with a. */
export function mod(a: Range, b: Range): Range {
  if (infinite(a) || infinite(b) || contains(b, 0)) return everything;
  const slack = (abs(a).high + abs(b).high) * TRUST;
  const nan = a.nan || b.nan;
  // Within one period nothing jumps.
  if (b.low === b.high) {
    const periods = div(a, b);
    const period = Math.floor(periods.low);
    if (period === Math.floor(periods.high)) {
      return around(a.low - b.low * period - slack, a.high - b.low * period + slack, nan);
    }
  }
  return around(Math.min(0, b.low) - slack, Math.max(0, b.high) + slack, nan);
}

function cornersOf(a: Interval, b: Interval, f: (x: number, y: number) => number): Interval {
  const corners = [f(a.low, b.low), f(a.low, b.high), f(a.high, b.low), f(a.high, b.high)];
  return { low: Math.min(...corners), high: Math.max(...corners) };
}

/** A function that only rises, on its domain from `domain` on; its values lie between `least` and `most`. */
const rising =
  (op: FloatUnary, least = -Infinity, most = Infinity, domain = -Infinity, trust = 0) =>
  ({ low, high, nan }: Range): Range => {
    const f = onFloat[op];
    const ends = nearly(f(Math.max(low, domain)), f(Math.max(high, domain)), nan || low < domain);
    return within(trust === 0 ? ends : around(ends.low - trust, ends.high + trust, ends.nan), least, most);
  };

/** 1 at pi/2 + 2 pi k, -1 half a turn further, monotone between. */
const turning =
  (top: number, f: (x: number) => number) =>
  (a: Range): Range => {
    const turn = 2 * Math.PI;
    if (infinite(a) || abs(a).high > 2 ** 20) return { low: -1, high: 1, nan: a.nan || infinite(a) };
    // Whether a place that repeats at every turn lies inside, or so near that rounding could tell otherwise.
    const passes = (place: number): boolean =>
      Math.floor((a.high - place) / turn + 1e-6) > Math.floor((a.low - place) / turn - 1e-6);
    const ends = [f(a.low), f(a.high)];
    const high = passes(top) ? 1 : Math.max(...ends) + TRUST_OF_SINE;
    const low = passes(top + Math.PI) ? -1 : Math.min(...ends) - TRUST_OF_SINE;
    return within(around(low, high, a.nan), -1, 1);
  };

export const floatFunctions: { readonly [O in FloatUnary]: (a: Range) => Range } = {
  exp: rising('exp', 0),
  log: rising('log', -Infinity, Infinity, 0, TRUST_OF_LOG),
  log1p: rising('log1p', -Infinity, Infinity, -1, TRUST_OF_LOG),
  tanh: rising('tanh', -1, 1),
  sigmoid: rising('sigmoid', 0, 1),
  sqrt: rising('sqrt', 0, Infinity, 0),
  // Falls. Of minus zero it is minus infinity.
  rsqrt: (a) =>
    a.low <= 0
      ? { ...everything, nan: a.nan || a.low < 0 }
      : nearly(1 / Math.sqrt(a.high), 1 / Math.sqrt(a.low), a.nan),
  floor,
  erf: rising('erf', -1, 1),
  sin: turning(Math.PI / 2, Math.sin),
  cos: turning(0, Math.cos),
};

/** The sum of `count` numbers of an interval, `undefined` many if the count is not known. */
export function total({ low, high, nan }: Range, count: number | undefined): Range {
  if (count === 0) return { ...zero, nan: false };
  if (count === undefined) {
    const ends = { low: low < 0 ? -Infinity : 0, high: high > 0 ? Infinity : 0 };
    return { ...ends, nan: nan || (low < 0 && high > 0) };
  }
  // Each of the additions rounds a partial sum.
  const slack = count > 1 ? Math.max(Math.abs(low), Math.abs(high)) * count * count * 2 ** -23 : 0;
  const sum = around(count * low - (low === 0 ? 0 : slack), count * high + (high === 0 ? 0 : slack), nan);
  const signed = within(sum, low >= 0 ? 0 : -Infinity, high <= 0 ? 0 : Infinity);
  return { ...signed, nan: nan || (signed.low === -Infinity && signed.high === Infinity) };
}

/** The length of a vector of `count` numbers of an interval. */
export function length(a: Range, count: number | undefined): Range {
  const size = abs(a);
  if (count === undefined) return { low: 0, high: size.high === 0 ? 0 : Infinity, nan: a.nan };
  const squares = total(mul(size, size), count);
  return { ...floatFunctions.sqrt(squares), nan: a.nan };
}
