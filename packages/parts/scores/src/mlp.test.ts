import { describe, expect, it } from 'vitest';
import { additive } from './additive.ts';
import { mlp } from './mlp.ts';
import { message, paramsOf, scoreOf } from './pair.fixture.ts';

const { tanh } = Math;
// hidden 2, query width 1, key width 2.
const first = { w: [1, -1], u: [0.5, 0, 0, 2], b: [0.1, 0], v: [3, 4] };

describe('mlp', () => {
  it('is additive with a bias where it has one layer', () => {
    const [q, k] = [[0.2], [1, 0.3]];
    expect(scoreOf(mlp({ hidden: 2, layers: 1 }), q, k, first)).toBeCloseTo(
      scoreOf(additive({ hidden: 2, bias: true }), q, k, first),
      14,
    );
  });

  it('sends the first layer through a second', () => {
    // W q + U k + b = [0.2 + 0.5 + 0.1, -0.2 + 0.6].
    const [a, b] = [tanh(0.8), tanh(0.4)];
    const got = scoreOf(mlp({ hidden: 2, layers: 2 }), [0.2], [1, 0.3], {
      ...first,
      w2: [1, 2, 0, -1],
      b2: [0, 0.5],
    });
    expect(got).toBeCloseTo(3 * tanh(a + 2 * b) + 4 * tanh(-b + 0.5), 14);
    const cut = scoreOf(mlp({ hidden: 2, layers: 2, activation: 'relu' }), [0.2], [1, 0.3], {
      ...first,
      w2: [1, 2, 0, -1],
      b2: [0, 0.5],
    });
    expect(cut).toBeCloseTo(3 * (0.8 + 2 * 0.4) + 4 * (0.5 - 0.4), 14);
  });

  it('trains what its layers need', () => {
    const one = ['w', 'u', 'b', 'v'];
    const names = (layers: number) => paramsOf(mlp({ layers })).map((text) => text.split(':')[0]);
    expect(names(1).sort()).toEqual([...one].sort());
    expect(names(3).sort()).toEqual([...one, 'w2', 'b2', 'w3', 'b3'].sort());
    expect(message(() => mlp({ layers: 5 }))).toMatchInlineSnapshot(
      `"ValueError: score "mlp": the option "layers" expects a whole number of at least 1 and at most 4, got 5."`,
    );
  });
});
