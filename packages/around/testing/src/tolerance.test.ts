import { describe, expect, it } from 'vitest';
import { Random } from './random.ts';
import { exactly, MULTIPLE, roundoff } from './tolerance.ts';

const options = { floats: ['x'], random: new Random(1) };

describe('the tolerance', () => {
  it('is a multiple of what one rounding of the inputs does, and one of the result', async () => {
    const x = Float64Array.of(1000, 1);
    // A difference of large numbers: as wrong as their rounding, however small it is.
    const cancels = await exactly(
      ({ x }) => ({ y: Float64Array.of((x as Float64Array)[0]! - 999.9) }),
      { x },
      {
        ...options,
        dtype: 'float32',
        roundings: 1,
      },
    );
    expect(cancels.allowed.y).toBeGreaterThan(2 * MULTIPLE * roundoff.float32 * 999);
    expect(cancels.allowed.y).toBeLessThan(2 * MULTIPLE * roundoff.float32 * 1002);
  });

  it('grows with the length of a sum and with the width of the dtype', async () => {
    const f = ({ x }: Readonly<Record<string, Float64Array>>) => ({
      y: Float64Array.from(x as Float64Array) as Float64Array<ArrayBuffer>,
    });
    const allowed = async (dtype: 'float32' | 'float64', roundings: number) =>
      (await exactly(f, { x: Float64Array.of(1) }, { ...options, dtype, roundings })).allowed.y as number;
    expect((await allowed('float32', 10)) / (await allowed('float32', 1))).toBeCloseTo(10);
    expect((await allowed('float32', 1)) / (await allowed('float64', 1))).toBeCloseTo(2 ** 29, -7);
  });

  it('is about the finite numbers', async () => {
    const f = () => ({ y: Float64Array.of(Infinity, Number.NaN, 2) });
    const { allowed } = await exactly(
      f,
      { x: Float64Array.of(1) },
      { ...options, dtype: 'float32', roundings: 1 },
    );
    expect(allowed.y).toBe(2 * MULTIPLE * roundoff.float32 * 2);
  });

  it('is of one size for results that come from the same numbers', async () => {
    const f = ({ x }: Readonly<Record<string, Float64Array>>) => ({
      large: Float64Array.of(100 * (x as Float64Array)[0]!),
      none: Float64Array.of(0),
    });
    const given = { ...options, dtype: 'float32', roundings: 1 } as const;
    const apart = await exactly(f, { x: Float64Array.of(1) }, given);
    const together = await exactly(f, { x: Float64Array.of(1) }, { ...given, together: true });
    expect(apart.allowed.none).toBe(0);
    expect(together.allowed.none).toBe(2 * MULTIPLE * roundoff.float32 * 100);
    expect(together.allowed.large).toBe(apart.allowed.large);
  });
});
