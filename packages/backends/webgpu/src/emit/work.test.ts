import { add, dot, exp, mat, matvec, mul, scalar, sum, tanh, trace, vec } from '@heed/expr';
import { expect, it } from 'vitest';
import { operationsOf } from './work.ts';

it('counts an operation for each element, and a product that is summed as two', () => {
  const sizes = { feature: 64, hidden: 16 };
  const count = (body: Parameters<typeof trace>[2]): number =>
    operationsOf([trace('score', scalar, body)], sizes);
  expect(count((declare) => dot(declare('q', vec('feature')), declare('k', vec('feature'))))).toBe(128);
  expect(count((declare) => mul(exp(declare('x', scalar)), 2))).toBe(2);
  // A sum of two rows, its tanh, and what is summed of that.
  expect(count((declare) => sum(tanh(add(declare('q', vec('feature')), declare('k', vec('feature'))))))).toBe(
    3 * 64,
  );
  expect(
    count((declare) => sum(matvec(declare('m', mat('hidden', 'feature')), declare('q', vec('feature'))))),
  ).toBe(2 * 64 * 16 + 16);
});
