import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expression, hostile } from './arbitraries.fixture.ts';
import {
  abs,
  add,
  and,
  at,
  concat,
  div,
  dot,
  exp,
  floor,
  gt,
  log,
  lt,
  matvec,
  max,
  maximum,
  min,
  minimum,
  mul,
  neg,
  norm,
  pow,
  relu,
  select,
  sqrt,
  sum,
  tanh,
  toFloat,
} from './author.ts';
import {
  expectDerivative,
  given,
  home,
  i,
  numbersOf,
  t,
  u,
  type Values,
  v,
  values,
  w,
  x,
  y,
} from './derivative.fixture.ts';
import { derive } from './derive.ts';
import { ExpressionError } from './error.ts';
import { evaluate } from './evaluate.ts';
import { build, constant, input } from './infer.ts';
import { asExpr, asNode, type Expr, graph, type Node } from './node.ts';
import { print } from './print.ts';
import { type Bool, bool, type Scalar, scalar, type Vec, vec } from './type.ts';
import type { Value } from './value.ts';
import { inputsOf } from './walk.ts';

describe('derive', () => {
  it('shares: what changes alike has one change', () => {
    const [da, db] = derive(dot(v, tanh(add(u, given(home, 'b', vec('n'))))), [
      u,
      given(home, 'b', vec('n')),
    ]);
    expect(da).toBe(db);
    expect(print(da as Expr)).toMatchInlineSnapshot(`"t1 = tanh(add(u, b)); mul(v, sub(1, mul(t1, t1)))"`);
  });

  it('gives the change of a node within, and null for what the root does not read or only steps through', () => {
    const inner = mul(x, y);
    const [dInner, dx, dz, dSteps] = derive(exp(inner), [inner, x, given(home, 'z', scalar), u]);
    expect(dInner).toBe(exp(inner));
    expect(print(dx as Expr)).toMatchInlineSnapshot(`"mul(exp(mul(x, y)), y)"`);
    expect([dz, dSteps]).toEqual([null, null]);
    expect(derive(floor(x), [x])).toEqual([null]);
    expect(derive(toFloat(i), [i])).toEqual([null]);
    expect(derive(x, [x]).map((one) => print(one as Expr))).toEqual(['1']);
  });

  it('differentiates its own results', () => {
    const f = div(dot(u, v), mul(norm(u), norm(v)));
    const [du] = derive(f, [u]) as [Expr<Vec>];
    const along = dot(du as typeof u, given(home, 'd', vec('n')));
    expectDerivative(along, u, { ...values, d: [0.2, 0.5, -0.4] });
    expectDerivative(along, v, { ...values, d: [0.2, 0.5, -0.4] });
  });

  const changeAt = (root: Expr<Scalar>, wrt: Expr, at: Values): Value => {
    const [change] = derive(root, [wrt]);
    return evaluate(change as Expr, at);
  };
  const vectorGt = (a: Expr, b: number): Expr<never> =>
    asExpr<never>(build(home, 'gt', [asNode(a), constant(home, b)], null));

  describe('the branch not taken changes nothing', () => {
    it('whatever it is made of', () => {
      fc.assert(
        fc.property(
          expression({ floats: hostile, depth: 3, except: ['toInt'] }),
          ({ root, values: at, sizes: dims }) => {
            const risky = root as Expr<Scalar>;
            const own = asExpr<Scalar>(input(graph(risky), 'own', scalar));
            const no = asExpr<Bool>(input(graph(risky), 'no', bool));
            const guardedTwice = add(
              select(no, risky, own),
              select(and(no, lt(own, 9)), mul(risky, risky), mul(own, 2)),
            );
            const wrt = [
              own as Expr,
              ...(inputsOf([risky]) as Node[]).filter(({ type }) => type.element === 'float'),
            ];
            derive(guardedTwice, wrt).forEach((change, i) => {
              if (!change) return;
              const got = numbersOf(evaluate(change, { ...at, own: 0.5, no: false }, dims));
              for (const one of got) expect(Math.abs(one)).toBe(i === 0 ? 3 : 0);
            });
          },
        ),
        { numRuns: 500 },
      );
    });

    it('in a logarithm that is guarded', () => {
      const f = select(gt(x, 0), log(x), 0);
      expect(changeAt(f, x, { x: 0 })).toBe(0);
      expect(changeAt(f, x, { x: -1 })).toBe(0);
      expect(changeAt(f, x, { x: 2 })).toBe(0.5);
    });

    it('in a quotient that is guarded', () => {
      const f = select(gt(y, 0), div(x, y), 0);
      expect(changeAt(f, x, { x: 3, y: 0 })).toBe(0);
      expect(changeAt(f, y, { x: 3, y: 0 })).toBe(0);
      const g = select(gt(norm(u), 0), div(dot(u, v), norm(u)), 0);
      expect(changeAt(g, u, { u: [0, 0, 0], v: [1, 2, 3] })).toEqual([0, 0, 0]);
      expect(changeAt(g, v, { u: [0, 0, 0], v: [1, 2, 3] })).toEqual([0, 0, 0]);
    });

    it('where what it is made of is live elsewhere, or in two branches', () => {
      const risky = log(x);
      const f = add(select(gt(x, 0), risky, 0), select(gt(x, 1), mul(risky, 3), x));
      expect(changeAt(f, x, { x: 0 })).toBe(1);
      expect(changeAt(f, x, { x: 0.5 })).toBe(3);
      expect(changeAt(f, x, { x: 2 })).toBe(2);
      const h = add(select(gt(x, 0), sqrt(x), neg(x)), x);
      expect(changeAt(h, x, { x: -4 })).toBe(0);
      expect(changeAt(h, x, { x: 4 })).toBe(1.25);
    });

    it('within branches of branches', () => {
      const f = select(gt(x, 0), select(gt(y, 0), mul(log(x), sqrt(y)), x), select(gt(y, 0), log(y), 0));
      expect(changeAt(f, x, { x: -1, y: -1 })).toBe(0);
      expect(changeAt(f, y, { x: -1, y: -1 })).toBe(0);
      expect(changeAt(f, x, { x: 1, y: -1 })).toBe(1);
      expect(changeAt(f, y, { x: 0, y: 4 })).toBe(0.25);
      expect(changeAt(f, x, { x: 1, y: 4 })).toBe(2);
    });

    it('element by element', () => {
      const f = sum(select(vectorGt(u, 0), mul(y, log(u)), mul(x, u)));
      const at = { u: [0, -1, 2], x: 5, y: 3 };
      expect(changeAt(f, u, at)).toEqual([5, 5, 1.5]);
      expect(changeAt(f, x, at)).toBe(-1);
      expect(changeAt(f, y, at)).toBe(Math.log(2));
    });

    it('through vectors that are joined, cut, summed and multiplied by matrices', () => {
      const joined = concat(log(u), v);
      const f = sum(select(vectorGt(concat(u, v), 0), joined, 0));
      expect(changeAt(f, u, { u: [0, -1, 2], v: [1, 1, -1] })).toEqual([0, 0, 0.5]);
      expect(changeAt(f, v, { u: [0, -1, 2], v: [1, 1, -1] })).toEqual([1, 1, 0]);
      const g = sum(select(vectorGt(matvec(w, u), 0), matvec(w, mul(u, log(x))), 0));
      expect(changeAt(g, x, { x: 0, u: [-1, -1, -1], w: [1, 1, 1, 1, 1, 1] })).toBe(0);
      expect(changeAt(g, w, { x: 0, u: [-1, -1, -1], w: [1, 1, 1, 1, 1, 1] })).toEqual([0, 0, 0, 0, 0, 0]);
      const k = sum(select(vectorGt(v, 0), add(v, div(1, x)), v));
      expect(changeAt(k, x, { x: 0, v: [-1, -2, -3] })).toBe(0);
    });

    it('in a table', () => {
      const f = select(gt(x, 0), mul(log(x), at(t, i)), 0);
      expect(changeAt(f, t, { x: 0, i: 1, t: { sizes: [2], data: [1, 2] } })).toEqual({
        sizes: [2],
        data: [0, 0],
      });
    });
  });

  describe('conventions', () => {
    it('norm, abs and sign at zero', () => {
      expect(changeAt(norm(u), u, { u: [0, 0, 0] })).toEqual([0, 0, 0]);
      expect(changeAt(abs(x), x, { x: 0 })).toBe(0);
    });

    it('ties', () => {
      expect(changeAt(maximum(x, y), x, { x: 1, y: 1 })).toBe(0.5);
      expect(changeAt(minimum(x, y), y, { x: 1, y: 1 })).toBe(0.5);
      expect(changeAt(relu(x), x, { x: 0 })).toBe(0.5);
      expect(changeAt(max(u), u, { u: [2, 1, 2] })).toEqual([0.5, 0, 0.5]);
      expect(changeAt(min(u), u, { u: [1, 1, 1] })).toEqual([1 / 3, 1 / 3, 1 / 3]);
    });

    it('powers of zero and of negative numbers', () => {
      expect(changeAt(pow(x, 2), x, { x: 0 })).toBe(0);
      expect(changeAt(pow(x, 3), x, { x: -2 })).toBe(12);
      expect(changeAt(pow(x, y), x, { x: 0, y: 0 })).toBe(0);
      expect(changeAt(pow(x, y), y, { x: 0, y: 2 })).toBe(0);
      expect(changeAt(pow(x, y), y, { x: -2, y: 2 })).toBe(0);
      expect(changeAt(pow(x, y), x, { x: -2, y: 3 })).toBe(12);
    });
  });

  it('goes through graphs deeper than the call stack', () => {
    let deep: Expr<Scalar> = x;
    for (let n = 0; n < 20_000; n++) deep = add(deep, mul(x, 1e-4));
    const [dx] = derive(deep, [x]);
    expect(evaluate(dx as Expr<Scalar>, { x: 1 })).toBeCloseTo(3, 9);
    expect(graph(dx as Expr)).toBe(home);
  });

  it('refuses what is not a scalar', () => {
    expect(() => derive(u as never, [x])).toThrow(ExpressionError);
    expect(() => derive(u as never, [x])).toThrow('expected a scalar, got vec(n)');
  });
});
