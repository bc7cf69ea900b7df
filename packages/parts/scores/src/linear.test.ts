import { describe, expect, it } from 'vitest';
import { linear } from './linear.ts';
import { paramsOf, scoreOf } from './pair.fixture.ts';

describe('linear', () => {
  it('weighs each number of both rows', () => {
    expect(scoreOf(linear(), [1, 2], [3, 4, 5], { wq: [10, 1], wk: [1, -1, 2] })).toBe(12 + 9);
    expect(scoreOf(linear({ bias: true }), [1, 2], [3], { wq: [10, 1], wk: [2], b: -1 })).toBe(17);
  });

  it('trains a vector for each row', () => {
    expect(paramsOf(linear({ bias: true }))).toEqual([
      'wq: vec(queryFeature), scaled-normal',
      'wk: vec(keyFeature), scaled-normal',
      'b: scalar, 0',
    ]);
  });
});
