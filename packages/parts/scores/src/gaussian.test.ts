import { describe, expect, it } from 'vitest';
import { gaussian } from './gaussian.ts';
import { message, scoreOf } from './pair.fixture.ts';

describe('gaussian', () => {
  it('falls with the square of the distance', () => {
    expect(scoreOf(gaussian(), [1, 2], [4, -2])).toBe(-25 / 2);
    expect(scoreOf(gaussian({ bandwidth: 5 }), [1, 2], [4, -2])).toBeCloseTo(-0.5, 14);
    expect(scoreOf(gaussian(), [1, 2], [1, 2])).toBe(-0);
  });

  it('refuses a bandwidth that is not above 0', () => {
    expect(message(() => gaussian({ bandwidth: 0 }))).toMatchInlineSnapshot(
      `"ValueError: score "gaussian": the option "bandwidth" expects a finite number above 0, got 0."`,
    );
  });
});
