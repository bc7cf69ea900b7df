import { describe, expect, it } from 'vitest';
import { dot } from './dot.ts';
import { message, paramsOf, scoreOf } from './pair.fixture.ts';

describe('dot', () => {
  it('sums the products', () => {
    expect(scoreOf(dot(), [1, 2, 3], [4, -5, 6])).toBe(4 - 10 + 18);
  });

  it('has nothing to train and nothing to choose', () => {
    expect(paramsOf(dot())).toEqual([]);
    // @ts-expect-error: it takes no options
    expect(message(() => dot({ scale: 2 }))).toMatchInlineSnapshot(
      `"NameError: score "dot": the option "scale" does not exist. dot takes no options."`,
    );
  });
});
