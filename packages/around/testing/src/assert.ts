// The few assertions that laws need, with messages that say what was compared. No test framework is needed.

/** A law that does not hold. */
export class LawError extends Error {
  override readonly name = 'LawError';
}

export function ensure(condition: boolean, message: string | (() => string)): asserts condition {
  if (!condition) throw new LawError(typeof message === 'string' ? message : message());
}

/** Row-major coordinates: `[1, 0, 3]`. */
export function coordinates(flat: number, shape: readonly number[]): string {
  const place: number[] = [];
  let rest = flat;
  for (const extent of [...shape].reverse()) {
    place.unshift(rest % extent);
    rest = Math.floor(rest / extent);
  }
  return `[${place.join(', ')}]`;
}

export interface Comparison {
  /** What is compared, as the message names it. */
  readonly what: string;
  readonly shape: readonly number[];
  /** The largest difference that is fair. */
  readonly allowed: number;
}

/** Every element within what is allowed; NaN meets NaN, and an infinity itself. */
export function ensureNear(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { what, shape, allowed }: Comparison,
): void {
  ensure(
    actual.length === expected.length,
    () => `${what}: expected ${expected.length} elements, got ${actual.length}`,
  );
  let worst = -1;
  let excess = allowed;
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i] as number, expected[i] as number];
    if (a === e || (Number.isNaN(a) && Number.isNaN(e))) continue;
    const difference = Math.abs(a - e);
    if (difference <= excess) continue;
    worst = i;
    if (!Number.isFinite(difference)) break;
    excess = difference;
  }
  ensure(worst < 0, () => {
    const [a, e] = [actual[worst] as number, expected[worst] as number];
    const off = Math.abs(a - e).toExponential(2);
    return `${what} ${coordinates(worst, shape)}: expected ${e}, got ${a}: off by ${off}, allowed ${allowed.toExponential(2)}`;
  });
}

/** Every element the same number. */
export function ensureSame(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  what: string,
  shape: readonly number[],
): void {
  ensureNear(actual, expected, { what, shape, allowed: 0 });
}
