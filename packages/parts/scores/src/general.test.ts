import { describe, expect, it } from 'vitest';
import { general } from './general.ts';
import { message, paramsOf, scoreOf } from './pair.fixture.ts';

// [queryFeature, keyFeature] = [2, 3]: unlike widths, and no matrix that equals its transpose.
const w = [1, 2, 3, 4, 5, 6];

describe('general', () => {
  it('projects the key into the space of the query', () => {
    // W k = [1 - 2 + 6, 4 - 5 + 12] = [5, 11].
    expect(scoreOf(general(), [10, 1], [1, -1, 2], { w })).toBe(61);
  });

  it('adds one number with bias', () => {
    expect(scoreOf(general({ bias: true }), [10, 1], [1, -1, 2], { w, b: 0.5 })).toBe(61.5);
  });

  it('adds a vector to the projected query with keyBias', () => {
    expect(scoreOf(general({ keyBias: true }), [10, 1], [1, -1, 2], { w, c: [1, 2, 3] })).toBe(
      61 + 1 - 2 + 6,
    );
  });

  it('goes through an activation, the bias included', () => {
    expect(
      scoreOf(general({ bias: true, activation: 'tanh' }), [10, 1], [1, -1, 2], { w, b: -60.5 }),
    ).toBeCloseTo(Math.tanh(0.5), 14);
    expect(scoreOf(general({ activation: 'relu' }), [-10, -1], [1, -1, 2], { w })).toBe(0);
  });

  it('trains a bias only where there is one', () => {
    expect(paramsOf(general())).toEqual(['w: mat(queryFeature, keyFeature), scaled-normal']);
    expect(paramsOf(general({ bias: true }))).toEqual([
      'w: mat(queryFeature, keyFeature), scaled-normal',
      'b: scalar, 0',
    ]);
  });

  it('refuses a bias that is not true or false', () => {
    // @ts-expect-error: a boolean
    expect(message(() => general({ bias: 1 }))).toMatchInlineSnapshot(
      `"ValueError: score "general": the option "bias" expects true or false, got 1."`,
    );
  });
});
