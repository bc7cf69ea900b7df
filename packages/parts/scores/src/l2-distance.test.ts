import { describe, expect, it } from 'vitest';
import { l2Distance } from './l2-distance.ts';
import { scoreOf } from './pair.fixture.ts';

describe('l2Distance', () => {
  it('falls with the square of the distance, over the root of the width', () => {
    expect(scoreOf(l2Distance(), [1, 2, 0, 0], [4, -2, 0, 0])).toBe(-25 / 2);
    expect(scoreOf(l2Distance({ scale: 2 }), [1, 2], [4, -2])).toBe(-50);
  });

  it('falls with the distance itself', () => {
    expect(scoreOf(l2Distance({ squared: false, scale: 1 }), [1, 2], [4, -2])).toBe(-5);
  });

  it('keeps its digits where rows are near each other and far from zero', () => {
    // |q|² + |k|² - 2 q . k would give 0: 1e18 has no digit for 1.
    expect(scoreOf(l2Distance({ scale: 1 }), [1e9], [1e9 + 1])).toBe(-1);
  });
});
