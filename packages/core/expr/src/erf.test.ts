import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { erf } from './erf.ts';

// mpmath 1.3, at exactly these float64 numbers.
const known = [
  [1e-300, 1.1283791670955126e-300],
  [1e-9, 1.1283791670955127e-9],
  [0.1, 0.1124629160182849],
  [0.5, 0.5204998778130465],
  [0.84375, 0.7672256612323416],
  [1, 0.8427007929497149],
  [1.25, 0.9229001282564583],
  [1.9999, 0.9953201979070294],
  [2, 0.9953222650189527],
  [2.5, 0.999593047982555],
  [3, 0.9999779095030014],
  [4, 0.9999999845827421],
  [5.5, 0.9999999999999927],
] as const;

describe('erf', () => {
  it.each(known)('erf(%d) is right to 1e-15', (x, expected) => {
    expect(Math.abs(erf(x) / expected - 1)).toBeLessThan(1e-15);
  });

  it('is odd', () => {
    fc.assert(
      fc.property(fc.double(), (x) => {
        expect(erf(-x)).toBe(-erf(x));
      }),
    );
  });

  it('never falls', () => {
    // Neighbours may differ by their rounding; erf has no more to say there.
    fc.assert(
      fc.property(
        fc.double({ min: -7, max: 7, noNaN: true }),
        fc.double({ min: 0, max: 2, noNaN: true }),
        (x, step) => {
          expect(erf(x + step)).toBeGreaterThanOrEqual(erf(x) - 1e-15);
        },
      ),
    );
  });

  it('ends at -1 and 1, and NaN stays NaN', () => {
    expect([erf(-Infinity), erf(-6), erf(0), erf(6), erf(Infinity), erf(NaN)]).toEqual([
      -1,
      -1,
      0,
      1,
      1,
      NaN,
    ]);
  });
});
