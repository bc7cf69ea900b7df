import { describe, expect, it } from 'vitest';
import { message, scoreOf } from './pair.fixture.ts';
import { scaledDot } from './scaled-dot.ts';

describe('scaledDot', () => {
  it('divides by the root of the width', () => {
    expect(scoreOf(scaledDot(), [1, 2, 3, 4], [4, -5, 6, 1])).toBe((4 - 10 + 18 + 4) / 2);
  });

  it('takes another scale in its place', () => {
    expect(scoreOf(scaledDot({ scale: 3 }), [1, 2], [4, -5])).toBe(-18);
    expect(scoreOf(scaledDot({ scale: 0 }), [1, 2], [4, -5])).toBe(-0);
  });

  it('refuses a scale that is no number', () => {
    // @ts-expect-error: a number
    expect(message(() => scaledDot({ scale: '1/8' }))).toMatchInlineSnapshot(
      `"ValueError: score "scaled-dot": the option "scale" expects a finite number, got '1/8'."`,
    );
    expect(message(() => scaledDot({ scale: Infinity }))).toMatchInlineSnapshot(
      `"ValueError: score "scaled-dot": the option "scale" expects a finite number, got Infinity."`,
    );
  });
});
