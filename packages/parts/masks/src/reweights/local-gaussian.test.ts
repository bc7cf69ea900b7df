import { describe, expect, it } from 'vitest';
import { at, message } from '../picture.fixture.ts';
import { localGaussian } from './local-gaussian.ts';

const scene = { queries: 1, keys: 9, given: () => ({ centers: 3.5 }) };

describe('localGaussian', () => {
  it('falls off around the centre', () => {
    expect(at(localGaussian({ sigma: 2 }), scene, 0, 3)).toBeCloseTo(Math.exp(-0.25 / 8), 14);
    expect(at(localGaussian(), scene, 0, 8)).toBeCloseTo(Math.exp(-(4.5 ** 2) / 50), 14);
  });

  it('is 0 beyond a window', () => {
    const cut = localGaussian({ sigma: 2, window: 2.5 });
    expect([0, 1, 6, 7].map((key) => at(cut, scene, 0, key) > 0)).toEqual([false, true, true, false]);
  });

  it('refuses a deviation that is not above 0', () => {
    expect(message(() => localGaussian({ sigma: 0 }))).toMatchInlineSnapshot(
      `"ValueError: reweight "local-gaussian": the option "sigma" expects a finite number above 0, got 0."`,
    );
  });
});
