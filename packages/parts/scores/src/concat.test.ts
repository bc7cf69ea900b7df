import { describe, expect, it } from 'vitest';
import { additive } from './additive.ts';
import { concat } from './concat.ts';
import { paramsOf, scoreOf } from './pair.fixture.ts';

describe('concat', () => {
  it('is additive with its two matrices side by side', () => {
    const [q, k] = [[0.2], [1, 0.3]];
    const v = [3, 4];
    const joined = scoreOf(concat({ hidden: 2 }), q, k, { w: [1, 0.5, 0, -1, 0, 2], v });
    expect(joined).toBeCloseTo(
      scoreOf(additive({ hidden: 2 }), q, k, { w: [1, -1], u: [0.5, 0, 0, 2], v }),
      14,
    );
    expect(joined).toBeCloseTo(3 * Math.tanh(0.7) + 4 * Math.tanh(0.4), 14);
  });

  it('trains one matrix and one vector', () => {
    expect(paramsOf(concat())).toEqual([
      'w: mat(hidden, queryFeature+keyFeature), scaled-normal',
      'v: vec(hidden), scaled-normal',
    ]);
  });
});
