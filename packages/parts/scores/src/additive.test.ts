import { describe, expect, it } from 'vitest';
import { additive } from './additive.ts';
import { message, paramsOf, scoreOf } from './pair.fixture.ts';

const { tanh, hypot } = Math;
// hidden 2, query width 1, key width 2.
const params = { w: [1, -1], u: [0.5, 0, 0, 2], v: [3, 4] };

describe('additive', () => {
  it('is a hidden layer over both rows', () => {
    // W q = [0.2, -0.2], U k = [0.5, 0.6].
    expect(scoreOf(additive({ hidden: 2 }), [0.2], [1, 0.3], params)).toBeCloseTo(
      3 * tanh(0.7) + 4 * tanh(0.4),
      14,
    );
  });

  it('adds a bias inside the tanh', () => {
    const got = scoreOf(additive({ hidden: 2, bias: true }), [0.2], [1, 0.3], { ...params, b: [-0.1, 1] });
    expect(got).toBeCloseTo(3 * tanh(0.6) + 4 * tanh(1.4), 14);
  });

  it('takes length and direction of v apart', () => {
    const got = scoreOf(additive({ hidden: 2, normalized: true }), [0.2], [1, 0.3], { ...params, g: 2 });
    expect(got).toBeCloseTo((2 * (3 * tanh(0.7) + 4 * tanh(0.4))) / hypot(3, 4), 14);
  });

  it('trains what its options ask for', () => {
    const bare = [
      'w: mat(hidden, queryFeature), scaled-normal',
      'u: mat(hidden, keyFeature), scaled-normal',
      'v: vec(hidden), scaled-normal',
    ];
    expect(paramsOf(additive())).toEqual(bare);
    expect(paramsOf(additive({ bias: true, normalized: true }))).toEqual([
      ...bare,
      'b: vec(hidden), 0',
      'g: scalar, 1',
    ]);
    expect([additive().sizes, additive({ hidden: 3 }).sizes]).toEqual([{ hidden: 64 }, { hidden: 3 }]);
  });

  it('refuses sizes that are none', () => {
    // @ts-expect-error: a number
    expect(message(() => additive({ hidden: 'big' }))).toMatchInlineSnapshot(
      `"ValueError: score "additive": the option "hidden" expects a whole number of at least 1, got 'big'."`,
    );
    expect(message(() => additive({ hidden: 0 }))).toMatchInlineSnapshot(
      `"ValueError: score "additive": the option "hidden" expects a whole number of at least 1, got 0."`,
    );
    // @ts-expect-error: a slip
    expect(message(() => additive({ hiden: 3 }))).toMatchInlineSnapshot(
      `"NameError: score "additive": the option "hiden" does not exist. Did you mean "hidden"? additive takes bias, normalized, hidden."`,
    );
    // @ts-expect-error: a number alone
    expect(message(() => additive(64))).toMatchInlineSnapshot(
      `"DTypeError: score "additive": expected its options as an object such as additive({ bias: false, normalized: false, hidden: 64 }), got 64."`,
    );
  });
});
