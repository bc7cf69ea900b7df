import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expression } from './arbitraries.fixture.ts';
import {
  add,
  div,
  dot,
  eq,
  fill,
  gt,
  log,
  lt,
  matvec,
  mul,
  neg,
  norm,
  select,
  size,
  sqrt,
  tanh,
  toFloat,
} from './author.ts';
import { derive } from './derive.ts';
import { ExpressionError } from './error.ts';
import { build } from './infer.ts';
import { asExpr, asNode, type Expr, type Node } from './node.ts';
import { print } from './print.ts';
import {
  choices,
  given,
  home,
  il,
  ir,
  isStaged,
  jumps,
  l,
  n,
  pair,
  r,
  run,
  s,
  sameValue,
  scalarFormula,
  sl,
  sr,
  staged,
  u,
  v,
  values,
  w,
} from './stage.fixture.ts';
import { stage } from './stage.ts';
import { mat, type Scalar, scalar } from './type.ts';
import { inputsOf } from './walk.ts';

describe('stage', () => {
  it('preserves the value of any formula of two sides', () => {
    fc.assert(
      fc.property(scalarFormula, values, choices, (node, at, options) =>
        sameValue(asExpr(node), at, { n: 3 }, options),
      ),
      { numRuns: 1000 },
    );
  });

  it('preserves the value of any expression', () => {
    fc.assert(
      fc.property(expression({ except: jumps }), ({ root, values, sizes }) => sameValue(root, values, sizes)),
      { numRuns: 500 },
    );
  });

  it('preserves the value of partials', () => {
    fc.assert(
      fc.property(expression({ except: jumps, depth: 3 }), ({ root, values, sizes }) => {
        const wrt = inputsOf([root]).filter(({ type }) => type.element === 'float') as Node[];
        for (const change of derive(root as Expr<Scalar>, wrt)) if (change) sameValue(change, values, sizes);
      }),
      { numRuns: 150 },
    );
    fc.assert(
      fc.property(scalarFormula, values, (node, at) => {
        const inputs = inputsOf([asExpr(node)]) as Node[];
        for (const change of derive(asExpr(node), inputs)) if (change) sameValue(change, at, { n: 3 });
      }),
      { numRuns: 100 },
    );
  });

  it('leaves nothing to be staged again, and no product of one side', () => {
    fc.assert(
      fc.property(scalarFormula, choices, (node, options) =>
        isStaged(stage({ root: asExpr(node) }, { pair, ...options }), options),
      ),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(expression(), ({ root }) => isStaged(stage({ root }, { pair }))),
      { numRuns: 500 },
    );
  });

  describe('computes what one side decides once for each row', () => {
    it('products with matrices', () => {
      expect(staged(dot(v, tanh(add(matvec(w, l), matvec(u, r)))))).toMatchInlineSnapshot(`
        [
          "left$0 [left] = matvec(w, l)",
          "right$0 [right] = matvec(u, r)",
          "dot(v, tanh(add(left$0, right$0)))",
        ]
      `);
      const { notes } = stage({ root: dot(v, tanh(add(matvec(w, l), matvec(u, r)))) }, { pair });
      expect(notes).toMatchInlineSnapshot(`
        [
          "matvec(w, l) depends on left alone: computed once for each row as left$0",
          "matvec(u, r) depends on right alone: computed once for each row as right$0",
        ]
      `);
    });

    it('lengths, and vectors that are divided by them', () => {
      expect(staged(div(dot(l, r), mul(norm(l), norm(r))))).toMatchInlineSnapshot(`
        [
          "left$0 [left] = norm(l)",
          "right$0 [right] = norm(r)",
          "div(dot(l, r), mul(left$0, right$0))",
        ]
      `);
      expect(staged(dot(div(l, norm(l)), div(r, norm(r))))).toMatchInlineSnapshot(`
        [
          "left$0 [left] = div(l, norm(l))",
          "right$0 [right] = div(r, norm(r))",
          "dot(left$0, right$0)",
        ]
      `);
    });

    it('once for all, what lies on neither side', () => {
      expect(staged(dot(mul(div(v, norm(v)), s), tanh(add(l, r))))).toMatchInlineSnapshot(`
        [
          "shared$0 [] = mul(div(v, norm(v)), s)",
          "dot(shared$0, tanh(add(l, r)))",
        ]
      `);
      expect(
        staged(dot(matvec(asExpr<typeof w.type>(build(home, 'mul', [asNode(w), asNode(s)], null)), l), r)),
      ).toMatchInlineSnapshot(`
        [
          "shared$0 [] = mul(w, s)",
          "left$0 [left] = matvec(shared$0, l)",
          "dot(left$0, r)",
        ]
      `);
    });

    it('but not sums of indices, nor what reads no input', () => {
      expect(staged(mul(neg(s), toFloat(add(il, 1))))).toEqual(['mul(neg(s), toFloat(add(il, 1i)))']);
      expect(staged(div(dot(l, r), sqrt(size(l, 'n'))))).toEqual(["div(dot(l, r), sqrt(size('n')))"]);
      expect(staged(select(lt(il, ir), dot(l, r), 0))).toEqual(['select(lt(il, ir), dot(l, r), 0)']);
    });
  });

  it('hoists over several roots at once, with names that are not taken', () => {
    const { roots, hoisted } = stage({ a: dot(matvec(w, l), r), b: add(norm(matvec(w, l)), sr) }, { pair });
    expect(hoisted.map(({ name, body }) => `${name} = ${print(body)}`)).toMatchInlineSnapshot(`
      [
        "left$0 = matvec(w, l)",
        "left$1 = norm(left$0)",
      ]
    `);
    expect(Object.values(roots).map((root) => print(root))).toMatchInlineSnapshot(`
      [
        "dot(left$0, r)",
        "add(left$1, sr)",
      ]
    `);
    const [partial] = derive(roots.a as Expr<Scalar>, [given('left$0', n, 'left')]);
    const next = stage({ partial: mul(partial as typeof r, log(add(sl, 2))) }, { pair });
    expect(next.hoisted.map(({ name }) => name)).toEqual(['left$0']);
  });

  it('keeps rows to the axes of their side', () => {
    const wGroup = given('wGroup', mat('n', 'n'), 'group');
    const sides = [['left', 'group'], ['right']] as const;
    expect(staged(dot(l, matvec(wGroup, r)), { sides })).toMatchInlineSnapshot(`
      [
        "left$0 [left,group] = vecmat(l, wGroup)",
        "dot(left$0, r)",
      ]
    `);
    expect(staged(dot(l, matvec(wGroup, r)))[0]).toBe('right$0 [group,right] = matvec(wGroup, r)');
    expect(staged(mul(given('slope', scalar, 'group'), norm(r)), { sides })).toMatchInlineSnapshot(`
      [
        "right$0 [right] = norm(r)",
        "mul(slope, right$0)",
      ]
    `);
  });

  it('keeps a guarded branch guarded', () => {
    const root = select(gt(sr, 0), mul(dot(l, r), log(sr)), 0);
    const result = stage({ root }, { pair });
    expect(run(result, { l: [1, 2, 3], r: [1, 1, 1], sr: -1 }, {}).root).toBe(0);
  });

  it('refuses a side that does not exist', () => {
    expect(() => stage({ root: dot(l, r) }, { pair, fewer: 'up' })).toThrow(ExpressionError);
    expect(stage({}, { pair })).toEqual({ roots: {}, hoisted: [], notes: [] });
    expect(eq(il, ir).type.element).toBe('bool');
    expect(fill(s, 'n').type).toEqual(n);
  });
});
