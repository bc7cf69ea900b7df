import { describe, expect, it } from 'vitest';
import { combination } from './combination.ts';
import { message, paramsOf, scoreOf } from './pair.fixture.ts';
import { trilinear } from './trilinear.ts';

const [q, k] = [
  [1, 2],
  [4, 8],
];

describe('combination', () => {
  it('is trilinear with its three terms', () => {
    const [a, b, c] = [
      [10, 1],
      [1, -1],
      [2, 3],
    ];
    expect(scoreOf(combination({ terms: ['q', 'k', 'q*k'] }), q, k, { wq: a, wk: b, wproduct: c })).toBe(
      scoreOf(trilinear(), q, k, { wq: a, wk: b, wqk: c }),
    );
  });

  it('weighs sums, differences and quotients', () => {
    const given = { wsum: [1, 10], wdifference: [100, 0], wquotient: [4, 4] };
    expect(scoreOf(combination({ terms: ['q+k', 'q-k', 'q/k'] }), q, k, given)).toBe(5 + 100 - 300 + 2);
    expect(
      scoreOf(combination({ terms: ['q/k'], bias: true, activation: 'sigmoid' }), q, k, { ...given, b: -2 }),
    ).toBe(0.5);
  });

  it('trains a vector for each term', () => {
    expect(paramsOf(combination({ terms: ['k', 'q-k'] }))).toEqual([
      'wk: vec(feature), scaled-normal',
      'wdifference: vec(feature), scaled-normal',
    ]);
  });

  it('refuses terms that are none', () => {
    // @ts-expect-error: AllenNLP's way to write it
    expect(message(() => combination({ terms: 'x,y,x*y' }))).toMatchInlineSnapshot(
      `"ValueError: score "combination": the option "terms" expects a list of at least one of 'q', 'k', 'q*k', 'q+k', 'q-k', 'q/k', none twice, got 'x,y,x*y'."`,
    );
    expect(message(() => combination({ terms: [] }))).toMatchInlineSnapshot(
      `"ValueError: score "combination": the option "terms" expects a list of at least one of 'q', 'k', 'q*k', 'q+k', 'q-k', 'q/k', none twice, got []."`,
    );
    expect(message(() => combination({ terms: ['q', 'q'] }))).toMatchInlineSnapshot(
      `"ValueError: score "combination": the option "terms" expects a list of at least one of 'q', 'k', 'q*k', 'q+k', 'q-k', 'q/k', none twice, got ['q', 'q']."`,
    );
    // @ts-expect-error: it must be given
    expect(message(() => combination())).toMatchInlineSnapshot(
      `"NameError: score "combination": the option "terms" must be given: expected a list of at least one of 'q', 'k', 'q*k', 'q+k', 'q-k', 'q/k', none twice, as in combination({ terms: ... })."`,
    );
  });
});
