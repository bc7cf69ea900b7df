import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { threefry, threefryUniform } from './threefry.ts';

describe('threefry', () => {
  // The known-answer vectors of Random123 (kat_vectors, threefry2x32 20).
  it.each([
    [
      [0, 0],
      [0, 0],
      ['6b200159', '99ba4efe'],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      ['1cb996fc', 'bb002be7'],
    ],
    [
      [0x13198a2e, 0x03707344],
      [0x243f6a88, 0x85a308d3],
      ['c4923a9c', '483df7a0'],
    ],
  ])('seed %j and counter %j give %j', ([seed0 = 0, seed1 = 0], [counter0 = 0, counter1 = 0], expected) => {
    expect(threefry(seed0, seed1, counter0, counter1).map((word) => word.toString(16))).toEqual(expected);
  });

  it('takes signed and unsigned words alike', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), fc.integer(), fc.integer(), (a, b, c, d) => {
        expect(threefry(a, b, c, d)).toEqual(threefry(a >>> 0, b >>> 0, c >>> 0, d >>> 0));
      }),
    );
  });
});

describe('threefryUniform', () => {
  it('is the upper 24 bits of the first word, a float32 in [0, 1)', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), fc.integer(), fc.integer(), (a, b, c, d) => {
        const number = threefryUniform(a, b, c, d);
        expect(number * 2 ** 24).toBe(threefry(a, b, c, d)[0] >>> 8);
        expect(number >= 0 && number < 1 && Math.fround(number) === number).toBe(true);
      }),
    );
  });

  it('has the mean and the variance of a uniform number', () => {
    const count = 10_000;
    const numbers = Array.from({ length: count }, (_, i) => threefryUniform(1, 2, i, 0));
    const mean = numbers.reduce((sum, one) => sum + one) / count;
    const variance = numbers.reduce((sum, one) => sum + (one - mean) ** 2, 0) / count;
    // Five standard errors: sqrt(1/12 / n) for the mean, sqrt(1/180 / n) for the variance.
    expect(Math.abs(mean - 1 / 2)).toBeLessThan(5 * Math.sqrt(1 / 12 / count));
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(5 * Math.sqrt(1 / 180 / count));
  });
});
