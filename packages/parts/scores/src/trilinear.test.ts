import { describe, expect, it } from 'vitest';
import { paramsOf, scoreOf } from './pair.fixture.ts';
import { trilinear } from './trilinear.ts';

describe('trilinear', () => {
  it('weighs each number of both rows and of their product', () => {
    const params = { wq: [10, 1], wk: [1, -1], wqk: [2, 3] };
    expect(scoreOf(trilinear(), [1, 2], [3, 4], params)).toBe(12 - 1 + (2 * 3 + 3 * 8));
    expect(scoreOf(trilinear({ bias: true }), [1, 2], [3, 4], { ...params, b: 0.5 })).toBe(41.5);
  });

  it('trains three vectors', () => {
    expect(paramsOf(trilinear())).toEqual(
      ['wq', 'wk', 'wqk'].map((name) => `${name}: vec(feature), scaled-normal`),
    );
  });
});
