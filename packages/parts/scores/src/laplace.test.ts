import { describe, expect, it } from 'vitest';
import { laplace } from './laplace.ts';
import { message, scoreOf } from './pair.fixture.ts';

describe('laplace', () => {
  it('falls with the sum of the distances', () => {
    expect(scoreOf(laplace(), [1, 2], [4, -2])).toBe(-7);
    expect(scoreOf(laplace({ bandwidth: 2 }), [1, 2], [4, -2])).toBe(-3.5);
  });

  it('refuses a bandwidth that is not above 0', () => {
    expect(message(() => laplace({ bandwidth: -1 }))).toMatchInlineSnapshot(
      `"ValueError: score "laplace": the option "bandwidth" expects a finite number above 0, got -1."`,
    );
  });
});
