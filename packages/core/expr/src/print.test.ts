import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expression, hostile } from './arbitraries.fixture.ts';
import { add, at, dot, exp, mul, select, size, slice, tanh } from './author.ts';
import { build, constant, input } from './infer.ts';
import { asExpr, asNode, type Expr, Graph, type Node } from './node.ts';
import { print, signature } from './print.ts';
import { type Dim, index, type Scalar, scalar, type Type, table, type Vec, vec } from './type.ts';
import { reachable } from './walk.ts';

const home = new Graph();
const x = asExpr<Scalar>(input(home, 'x', scalar));
const left = asExpr<Vec<'n'>>(input(home, 'left', vec('n'), ['left']));
const right = asExpr<Vec<'n'>>(input(home, 'right', vec('n'), ['right']));
const literal = (value: number, element: Type['element'] = 'float'): Expr =>
  asExpr(constant(home, value, element));

describe('print', () => {
  it('calls ops by name', () => {
    expect(print(dot(left, tanh(add(right, x))))).toBe('dot(left, tanh(add(right, x)))');
    expect(print(slice(left, '0', '2'))).toBe("slice(left, '0', '2')");
    expect(print(size(x, 'n+2'))).toBe("size('n+2')");
    expect(print(at(asExpr<Type<'float', readonly [], 1>>(input(home, 'bias', table(1))), 3))).toBe(
      'at(bias, 3i)',
    );
  });

  it('names what is used more than once, so that the text is as long as the graph is large', () => {
    const t = tanh(x);
    expect(print(mul(t, t))).toBe('t1 = tanh(x); mul(t1, t1)');
    let doubled: Expr<Scalar> = x;
    for (let i = 0; i < 100; i++) doubled = add(doubled, doubled);
    expect(print(doubled).length).toBeLessThan(100 * 24);
  });

  it('cuts deep chains by bindings', () => {
    let deep: Expr<Scalar> = x;
    for (let i = 0; i < 10_000; i++) deep = exp(deep);
    const text = print(deep);
    expect(text.match(/exp/g)).toHaveLength(10_000);
    expect(text.match(/\){65}/)).toBe(null);
  });

  it('spells every literal apart', () => {
    const all = [
      literal(3),
      literal(3, 'int'),
      literal(1, 'bool'),
      literal(NaN),
      literal(-0),
      literal(0),
      literal(-Infinity),
      literal(-2, 'int'),
      literal(0.1),
      literal(1e21),
    ];
    expect(all.map((one) => print(one))).toEqual([
      '3',
      '3i',
      'true',
      'NaN',
      '-0',
      '0',
      '-Infinity',
      '-2i',
      '0.1',
      '1e+21',
    ]);
  });

  it('quotes names that the formula language would read otherwise', () => {
    const named = (name: string): string => print(asExpr(input(home, name, scalar)));
    expect(['x', 'bias.left', 'tanh', 't1', 'and', '', 'a b', 'a`b', 'a\\b', 'x#2', 'é'].map(named)).toEqual([
      'x',
      'bias.left',
      'tanh',
      '`t1`',
      '`and`',
      '``',
      '`a b`',
      '`a\\`b`',
      '`a\\\\b`',
      '`x#2`',
      '`é`',
    ]);
  });

  it('tells inputs of one name apart', () => {
    const other = input(home, 'x', scalar, ['left']);
    const both = asExpr(build(home, 'sub', [asNode(x), other], null));
    expect(print(both, { inputs: true })).toBe('x: scalar; x#2: scalar along left; sub(x, x#2)');
  });

  it('declares the inputs when asked', () => {
    const e = add(dot(left, right), x);
    expect(signature(e)).toBe('left: vec(n) along left; right: vec(n) along right; x: scalar');
    expect(print(e, { inputs: true })).toBe(`${signature(e)}; ${print(e)}`);
    const odd = asExpr(input(home, 'odd', vec('a, b' as Dim), ['left, right']));
    expect(signature(odd)).toBe("odd: vec('a, b') along `left, right`");
  });

  it('is equal for equal structure, whatever graph it was made in', () => {
    fc.assert(
      fc.property(expression({ literals: hostile }), ({ root }) => {
        expect(print(asExpr(new Graph().adopt(asNode(root))), { inputs: true })).toBe(
          print(root, { inputs: true }),
        );
      }),
    );
  });

  it('is equal for nothing else: two expressions with one full text are one expression', () => {
    fc.assert(
      fc.property(expression({ depth: 2 }), expression({ depth: 2 }), ({ root: a }, { root: b }) => {
        const both = new Graph();
        const same = both.adopt(asNode(a)) === both.adopt(asNode(b));
        expect(print(a, { inputs: true }) === print(b, { inputs: true })).toBe(same);
      }),
      { numRuns: 1000 },
    );
  });

  it('differs wherever one literal, name, type or axis differs', () => {
    const inGraph = (make: (graph: Graph) => Node): string =>
      print(asExpr(make(new Graph())), { inputs: true });
    const texts = [
      inGraph((g) => input(g, 'a', scalar)),
      inGraph((g) => input(g, 'a', index)),
      inGraph((g) => input(g, 'b', scalar)),
      inGraph((g) => input(g, 'a', scalar, ['left'])),
      inGraph((g) => input(g, 'a', scalar, ['left', 'right'])),
      inGraph((g) => input(g, 'a', scalar, ['right', 'left'])),
      inGraph((g) => input(g, 'a', vec('n'))),
      inGraph((g) => input(g, 'a', vec('m'))),
      inGraph((g) => input(g, 'a', table(1))),
      inGraph((g) => input(g, 'a', table(2))),
      inGraph((g) => input(g, 'a', table(1, index))),
      inGraph((g) => input(g, 'a', { element: 'int', dims: ['n'], lookups: 0 })),
      inGraph((g) => build(g, 'slice', [input(g, 'a', vec('n'))], { axis: 0, from: '0', dim: '1' })),
      inGraph((g) => build(g, 'slice', [input(g, 'a', vec('n'))], { axis: 0, from: '1', dim: '1' })),
      inGraph((g) => build(g, 'place', [input(g, 'a', vec('n'))], { axis: 0, from: '1', dim: '1' })),
    ];
    expect(new Set(texts).size).toBe(texts.length);
  });

  it('grows as the graph does', () => {
    fc.assert(
      fc.property(expression({ depth: 6 }), ({ root }) => {
        expect(print(root).length).toBeLessThan(80 * reachable([asNode(root)]).size);
      }),
    );
  });

  it('keeps branches in their order', () => {
    const condition = literal(1, 'bool') as Expr<never>;
    expect(print(select(condition, x, 2))).toBe('select(true, x, 2)');
  });
});
