import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expression, hostile } from './arbitraries.fixture.ts';
import * as author from './author.ts';
import { evaluate, evaluator } from './evaluate.ts';
import { build, constant, input } from './infer.ts';
import { asExpr, type Expr, Graph, type Node } from './node.ts';
import type { Op } from './op.ts';
import { trace } from './trace.ts';
import { type Bool, bool, type Index, index, mat, scalar, type Type, table, vec } from './type.ts';
import type { Value } from './value.ts';

/** One op on inputs of the given types. */
function apply(op: Op, args: readonly (readonly [Type, Value])[], data: Node['data'] = null): Value {
  const home = new Graph();
  const names = args.map((_, i) => String.fromCharCode(97 + i));
  const nodes = args.map(([type], i) => input(home, names[i] as string, type));
  const values = Object.fromEntries(args.map(([, value], i) => [names[i], value]));
  return evaluate(asExpr<Type>(build(home, op, nodes, data)), values);
}
const floats = (op: Op, ...args: number[]): Value =>
  apply(
    op,
    args.map((arg) => [scalar, arg]),
  );
const ints = (op: Op, ...args: number[]): Value =>
  apply(
    op,
    args.map((arg) => [index, arg]),
  );
const least = -(2 ** 31);
const most = 2 ** 31 - 1;

describe('evaluate', () => {
  it('computes a formula of two rows', () => {
    const formula = trace('formula', scalar, (declare) =>
      author.dot(
        declare('v', vec('hidden')),
        author.tanh(author.add(declare('a', vec('hidden')), declare('b', vec('hidden')))),
      ),
    );
    expect(evaluate(formula, { v: [2, -1], a: [0.5, 1], b: [-0.5, 2] })).toBe(-Math.tanh(3));
  });

  it('gives every well-typed expression a value, whatever the inputs', () => {
    fc.assert(
      fc.property(expression({ floats: hostile, ints: fc.integer() }), ({ root, values, sizes }) => {
        expect(typeof evaluate(root, values, sizes)).toBe('number');
      }),
      { numRuns: 500 },
    );
  });

  it('keeps ints to 32 bits', () => {
    fc.assert(
      fc.property(
        expression({ result: 'index', ints: fc.integer(), floats: hostile, literals: hostile }),
        ({ root, values, sizes }) => {
          const result = evaluate(root as Expr<Index>, values, sizes);
          expect(result | 0).toBe(result);
        },
      ),
      { numRuns: 500 },
    );
  });

  describe('ints', () => {
    it.each<[Op, number[], number]>([
      ['add', [most, 1], least],
      ['sub', [least, 1], most],
      ['mul', [65_536, 65_537], 65_536],
      ['mul', [most, most], 1],
      ['neg', [least], least],
      ['abs', [least], least],
      ['floorDiv', [7, 2], 3],
      ['floorDiv', [-7, 2], -4],
      ['floorDiv', [7, -2], -4],
      ['floorDiv', [7, 0], 0],
      ['floorDiv', [least, -1], least],
      ['mod', [7, 3], 1],
      ['mod', [-7, 3], 2],
      ['mod', [7, -3], -2],
      ['mod', [7, 0], 0],
      ['mod', [least, -1], 0],
      ['sign', [-9], -1],
    ])('%s %j is %d', (op, args, expected) => expect(ints(op, ...args)).toBe(expected));

    it('are what floor and remainder agree on: a = b floorDiv(a, b) + mod(a, b)', () => {
      fc.assert(
        fc.property(
          fc.integer(),
          fc.integer().filter((b) => b !== 0),
          (a, b) => {
            const quotient = ints('floorDiv', a, b) as number;
            expect((Math.imul(b, quotient) + (ints('mod', a, b) as number)) | 0).toBe(a);
          },
        ),
      );
    });

    it.each([
      [2.9, 2],
      [-0.5, -1],
      [1e10, most],
      [-1e10, least],
      [Infinity, most],
      [-Infinity, least],
      [NaN, 0],
      [-0, 0],
    ])('toInt(%d) is %d', (a, expected) => expect(floats('toInt', a)).toBe(expected));
  });

  describe('floats', () => {
    it.each<[Op, number[], number]>([
      ['sign', [0], 0],
      ['sign', [NaN], NaN],
      ['mod', [-7, 3], 2],
      ['mod', [5.5, -2], -0.5],
      ['mod', [1, 0], NaN],
      ['mod', [5, Infinity], NaN],
      ['floorDiv', [-7, 2], -4],
      ['floorDiv', [1, 0], Infinity],
      ['minimum', [1, NaN], NaN],
      ['maximum', [NaN, 1], NaN],
      ['pow', [3, 2], 9],
      ['pow', [NaN, 0], 1],
      ['pow', [-8, 1 / 3], NaN],
      ['rsqrt', [4], 0.5],
      ['rsqrt', [0], Infinity],
      ['log', [0], -Infinity],
      ['sqrt', [-1], NaN],
      ['sigmoid', [0], 0.5],
      ['sigmoid', [1000], 1],
      ['sigmoid', [-1000], 0],
      ['sigmoid', [-Infinity], 0],
      ['sigmoid', [-40], 4.248354255291589e-18],
      ['log1p', [1e-20], 1e-20],
    ])('%s %j is %d', (op, args, expected) => expect(floats(op, ...args)).toBe(expected));

    it.each<[Op, boolean, boolean]>([
      ['lt', false, false],
      ['le', false, true],
      ['gt', false, false],
      ['ge', false, true],
      ['eq', false, true],
      ['ne', true, false],
    ])('%s with NaN is %s, of equals %s', (op, withNaN, ofEquals) => {
      expect([floats(op, NaN, NaN), floats(op, 1, NaN), floats(op, NaN, 1)]).toEqual([
        withNaN,
        withNaN,
        withNaN,
      ]);
      expect([floats(op, 0, -0), ints(op, 3, 3)]).toEqual([ofEquals, ofEquals]);
    });
  });

  describe('reductions', () => {
    it.each<[Op, number[], number]>([
      ['sum', [1, 2, 4], 7],
      ['max', [1, 5, 4], 5],
      ['min', [3, 1, 4], 1],
      ['norm', [3, 4], 5],
      ['sum', [], 0],
      ['max', [], -Infinity],
      ['min', [], Infinity],
      ['norm', [], 0],
      ['max', [1, NaN], NaN],
      ['min', [NaN, 1], NaN],
    ])('%s %j is %d', (op, v, expected) => expect(apply(op, [[vec('n'), v]])).toBe(expected));

    it('multiply vectors and matrices', () => {
      const w: Value = [1, 2, 3, 4, 5, 6];
      expect(
        apply('dot', [
          [vec('n'), [1, 2, 3]],
          [vec('n'), [4, 5, 6]],
        ]),
      ).toBe(32);
      expect(
        apply('dot', [
          [vec('n'), []],
          [vec('n'), []],
        ]),
      ).toBe(0);
      expect(
        apply('matvec', [
          [mat('m', 'n'), w],
          [vec('n'), [1, 0, -1]],
        ]),
      ).toEqual([-2, -2]);
      expect(
        apply('vecmat', [
          [vec('m'), [1, -1]],
          [mat('m', 'n'), w],
        ]),
      ).toEqual([-3, -3, -3]);
      expect(
        apply('outer', [
          [vec('m'), [1, 2]],
          [vec('n'), [3, 4, 5]],
        ]),
      ).toEqual([3, 4, 5, 6, 8, 10]);
    });
  });

  describe('shapes', () => {
    it('are cut, placed, repeated and joined', () => {
      const v: [Type, Value] = [vec('n'), [1, 2, 3]];
      const w: [Type, Value] = [mat('2', 'n'), [1, 2, 3, 4, 5, 6]];
      expect(apply('slice', [v], { axis: 0, from: '1', dim: '2' })).toEqual([2, 3]);
      expect(apply('slice', [w], { axis: 0, from: '1', dim: '1' })).toEqual([4, 5, 6]);
      expect(apply('slice', [w], { axis: 1, from: '1', dim: '2' })).toEqual([2, 3, 5, 6]);
      expect(apply('place', [v], { axis: 0, from: '1', dim: '5' })).toEqual([0, 1, 2, 3, 0]);
      expect(apply('place', [w], { axis: 0, from: '1', dim: '3' })).toEqual([0, 0, 0, 1, 2, 3, 4, 5, 6]);
      expect(apply('place', [w], { axis: 1, from: '1', dim: '4' })).toEqual([0, 1, 2, 3, 0, 4, 5, 6]);
      expect(apply('fill', [[scalar, 7]], { dim: '3' })).toEqual([7, 7, 7]);
      expect(apply('concat', [v, [vec('m'), [9]]])).toEqual([1, 2, 3, 9]);
    });

    it('meet scalars by repeating them', () => {
      expect(
        apply('sub', [
          [scalar, 10],
          [vec('n'), [1, 2, 3]],
        ]),
      ).toEqual([9, 8, 7]);
      expect(
        apply('mul', [
          [mat('2', '2'), [1, 2, 3, 4]],
          [scalar, 2],
        ]),
      ).toEqual([2, 4, 6, 8]);
    });

    it('are read at an index, zero outside', () => {
      const at = (i: number): Value =>
        apply('pick', [
          [vec('n'), [5, 6]],
          [index, i],
        ]);
      expect([at(-1), at(0), at(1), at(2), at(least), at(most)]).toEqual([0, 5, 6, 0, 0, 0]);
      const spread = (i: number): Value =>
        apply(
          'spread',
          [
            [scalar, 4],
            [index, i],
          ],
          { dim: '3' },
        );
      expect([spread(-1), spread(1), spread(3)]).toEqual([
        [0, 0, 0],
        [0, 4, 0],
        [0, 0, 0],
      ]);
    });

    it('have sizes', () => {
      const n = trace('n', scalar, (declare) => author.size(declare('v', vec('n')), 'n+2'));
      expect(evaluate(n, {}, { n: 3 })).toBe(5);
    });
  });

  describe('tables', () => {
    const square: Value = { sizes: [2, 3], data: [1, 2, 3, 4, 5, 6] };
    it('are read by indices, zero outside', () => {
      const at = (i: number, j: number): Value =>
        apply('at', [
          [table(2), square],
          [index, i],
          [index, j],
        ]);
      expect([at(0, 0), at(1, 2), at(2, 0), at(0, 3), at(-1, 0)]).toEqual([1, 6, 0, 0, 0]);
      const row = (i: number): Value =>
        apply('at', [
          [table(1, vec('n')), { sizes: [2], data: [1, 2, 3, 4] }],
          [index, i],
        ]);
      expect(
        evaluate(
          trace('row', scalar, (declare) => author.sum(author.at(declare('t', table(1, vec('n'))), 5))),
          { t: { sizes: [2], data: [1, 2, 3, 4] } },
        ),
      ).toBe(0);
      expect(row(1)).toEqual([3, 4]);
    });

    it('are seen through strides', () => {
      // The transpose of 2 x 3, without copying.
      const flipped: Value = { sizes: [3, 2], data: [1, 2, 3, 4, 5, 6], strides: [1, 3] };
      expect(
        apply('at', [
          [table(2), flipped],
          [index, 2],
          [index, 0],
        ]),
      ).toBe(3);
      const column: Value = { sizes: [], data: [1, 2, 3, 4, 5, 6], offset: 1, strides: [3] };
      expect(
        evaluate(
          trace('sum', scalar, (declare) => author.sum(declare('v', vec('n')))),
          { v: column },
          { n: 2 },
        ),
      ).toBe(7);
    });

    it('are made of entries, as large as the furthest one', () => {
      const home = new Graph();
      const x = input(home, 'x', scalar);
      const entry = (...indices: number[]): Node =>
        build(home, 'entry', [x, ...indices.map((i) => constant(home, i, 'int'))], null);
      const sum = build(
        home,
        'add',
        [build(home, 'add', [entry(0, 2), entry(1, 0)], null), entry(0, 2)],
        null,
      );
      expect(evaluate(asExpr<Type>(sum), { x: 3 })).toEqual({ sizes: [2, 3], data: [0, 0, 6, 3, 0, 0] });
      expect(evaluate(asExpr<Type>(entry(-1, 2)), { x: 3 })).toEqual({ sizes: [0, 0], data: [] });
      expect(() => evaluate(asExpr<Type>(entry(most - 1, most - 1)), { x: 3 })).toThrow(
        /numbers; 16777216 are the most/,
      );
    });
  });

  describe('select', () => {
    it('does not let the branch not taken spoil the result', () => {
      const safe = trace('safe', scalar, (declare) => {
        const x = declare('x', scalar);
        return author.select(author.gt(x, 0), author.log(x), author.div(x, 0));
      });
      expect(evaluate(safe, { x: 1 })).toBe(0);
      expect(evaluate(safe, { x: -1 })).toBe(-Infinity);
    });

    it('chooses vectors whole or element by element', () => {
      const choose = (p: Value, type: Type): Value =>
        apply('select', [
          [type, p],
          [vec('n'), [1, 2]],
          [scalar, 9],
        ]);
      expect(choose(true, bool)).toEqual([1, 2]);
      expect(choose(false, bool)).toEqual([9, 9]);
      expect(choose([1, 0], { element: 'bool', dims: ['n'], lookups: 0 })).toEqual([1, 9]);
    });
  });

  it('knows and, or and not', () => {
    const logic = (op: Op, ...args: boolean[]): Value =>
      apply(
        op,
        args.map((arg) => [bool, arg]),
      );
    expect([logic('and', true, true), logic('and', true, false)]).toEqual([true, false]);
    expect([logic('or', false, true), logic('or', false, false)]).toEqual([true, false]);
    expect([logic('not', true), logic('not', false)]).toEqual([false, true]);
    expect(apply('toFloat', [[bool, true]])).toBe(1);
  });

  it('draws random numbers as documented', () => {
    // The zero block of Threefry-2x32-20 begins with 6b200159.
    expect(ints('random', 0, 0, 0, 0)).toBe(0x6b2001 / 2 ** 24);
  });

  it('reads sizes off the inputs where they leave no choice', () => {
    const f = trace('f', scalar, (declare) =>
      author.sum(
        author.concat(
          author.matvec(declare('w', mat('m', 'n')), declare('x', vec('n'))),
          declare('y', vec('k')),
        ),
      ),
    );
    expect(evaluate(f, { w: [1, 2, 3, 4], x: [1, 1], y: [5] })).toBe(15);
    const joined = trace('joined', scalar, (declare) =>
      author.sum(author.mul(declare('v', vec('m+3')), author.size(declare('v', vec('m+3')), 'm'))),
    );
    expect(evaluate(joined, { v: [1, 1, 1, 1, 1] })).toBe(10);
  });

  describe('refuses', () => {
    const f = trace('f', scalar, (declare) =>
      author.add(
        author.sum(declare('row', vec('n'))),
        author.at(declare('t', table(1)), declare('i', index)),
      ),
    );
    const good = { row: [1, 2], t: { sizes: [1], data: [1] }, i: 0 };
    it.each<[string, Record<string, Value>, RegExp]>([
      ['a missing input', { row: [1, 2], t: good.t }, /input "i": expected index, got nothing/],
      ['a number for a vector', { ...good, row: 1 }, /input "row": expected vec\(n\) .*got number 1/],
      [
        'an array for a scalar',
        { ...good, i: [1] },
        /input "i": expected index, got an array of 1\. Give a number/,
      ],
      [
        'an array for a table',
        { ...good, t: [1] },
        /input "t": expected table\(1\) of scalar, got an array of 1\. A table is given as \{ sizes, data \}/,
      ],
      [
        'a table of other lookups',
        { ...good, t: { sizes: [1, 1], data: [1] } },
        /got a table of sizes \[1,1\]\. It takes 1 lookups/,
      ],
      [
        'a table with too few numbers',
        { ...good, t: { sizes: [3], data: [1] } },
        /got 1 numbers and a layout that reads numbers 0 to 2/,
      ],
      ['a fraction as an int', { ...good, i: 0.5 }, /input "i": expected index, got 0\.5\. Ints are whole/],
      ['a bool as an int', { ...good, i: true }, /input "i": expected index, got the boolean true/],
    ])('%s', (_, values, message) => expect(() => evaluate(f, values, { n: 2 })).toThrow(message));

    it('a vector of another length', () => {
      expect(() => evaluate(f, { ...good, row: [1] }, { n: 2 })).toThrow(
        /expected vec\(n\) \(2 numbers\), got an array of 1/,
      );
    });

    it('a dim without a size, also when its name is one of JavaScript', () => {
      const g = trace('g', scalar, (declare) => author.size(declare('x', scalar), 'constructor'));
      expect(() => evaluate(g, { x: 1 })).toThrow(/expected a size for dim "constructor", got none/);
    });

    it('a slice that does not fit', () => {
      const g = trace('g', scalar, (declare) => author.sum(author.slice(declare('v', vec('n')), '2', '2')));
      expect(() => evaluate(g, { v: [1, 2, 3] })).toThrow(
        /slice: expected 2 elements from 2 on to lie within vec\(n\), which has 3/,
      );
    });

    it('a name used with two types', () => {
      const g = trace('g', scalar, (declare) =>
        author.add(declare('x', scalar), author.sum(declare('x', vec('n')))),
      );
      expect(() => evaluate(g, { x: 1 }, { n: 1 })).toThrow(/input "x" is used as scalar and as vec\(n\)/);
    });
  });
});

describe('evaluator', () => {
  const home = new Graph();
  const left = asExpr<ReturnType<typeof vec<'n'>>>(input(home, 'left', vec('n')));
  const right = asExpr<ReturnType<typeof vec<'n'>>>(input(home, 'right', vec('n')));

  it('passes from row to row by moving a cursor', () => {
    const ready = evaluator([author.dot(left, right), author.sub(left, right)], { n: 2 });
    const rows = Float32Array.of(1, 2, 3, 4, 5, 6);
    ready.set('left', [10, 1]);
    const row = ready.set('right', { sizes: [], data: rows });
    const dots = [0, 1, 2].map((i) => {
      row.offset = 2 * i;
      ready.run();
      return [ready.number(), ready.value(1)];
    });
    expect(dots).toEqual([
      [12, [9, -1]],
      [34, [7, -3]],
      [56, [5, -5]],
    ]);
    expect(ready.view(1)).toMatchObject({ rows: 1, columns: 2 });
  });

  it('says which inputs there are, and refuses others', () => {
    const ready = evaluator([author.sum(left)], { n: 2 });
    expect(ready.inputs.map(({ data }) => data.name)).toEqual(['left']);
    expect(() => ready.set('up', [1, 2])).toThrow(
      'evaluate: expected the name of an input (left), got "up".',
    );
    expect(() => ready.run()).toThrow(/input "left": expected vec\(n\), got nothing/);
  });

  it('gives a bool as 0 or 1', () => {
    const ready = evaluator([author.lt(author.sum(left), 0) as Expr<Bool>], { n: 1 });
    ready.set('left', [-1]);
    ready.run();
    expect([ready.number(), ready.value()]).toEqual([1, true]);
  });
});
