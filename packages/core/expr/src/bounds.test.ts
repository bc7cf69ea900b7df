import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expression, hostile, type Sample } from './arbitraries.fixture.ts';
import * as author from './author.ts';
import { type Box, bounder, bounds, decide, type Interval } from './bounds.ts';
import { evaluate } from './evaluate.ts';
import { build, constant, input } from './infer.ts';
import { asExpr, asNode, type Expr, Graph } from './node.ts';
import { arity, type Op } from './op.ts';
import { type Bool, bool, type Index, index, type Scalar, scalar, table, type Vec, vec } from './type.ts';

const home = new Graph();
const i = asExpr<Index>(input(home, 'i', index));
const j = asExpr<Index>(input(home, 'j', index));
const offset = asExpr<Index>(input(home, 'offset', index));
const x = asExpr<Scalar>(input(home, 'x', scalar));
const y = asExpr<Scalar>(input(home, 'y', scalar));
const v = asExpr<Vec<'n'>>(input(home, 'v', vec('n')));
const p = asExpr<Bool>(input(home, 'p', bool));
const between = (low: number, high: number): Interval => ({ low, high });
const least = -(2 ** 31);
const most = 2 ** 31 - 1;

/** The values of a sample, and a box around them that leaves some inputs out. */
const boxed = (sample: fc.Arbitrary<Sample>): fc.Arbitrary<Sample & { box: Box }> =>
  fc
    .tuple(
      sample,
      fc.infiniteStream(
        fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 }), fc.boolean()),
      ),
    )
    .map(([given, stream]) => {
      const box: Record<string, Interval> = {};
      for (const [name, value] of Object.entries(given.values)) {
        const { value: [below, above, named] = [0, 0, false] } = stream.next();
        const numbers =
          typeof value === 'object' ? Array.from('data' in value ? value.data : value) : [Number(value)];
        const known = numbers.filter((one) => !Number.isNaN(one));
        if (!named || known.length === 0) continue;
        box[name] = {
          low: Math.min(...known) - below,
          high: Math.max(...known) + above,
          nan: known.length < numbers.length,
        };
      }
      return { ...given, box };
    });

const holds = ({ low, high, nan }: Interval, value: number | boolean): boolean =>
  Number.isNaN(value) ? nan === true : low <= Number(value) && Number(value) <= high;

describe('bounds', () => {
  const law = (name: string, sample: fc.Arbitrary<Sample>): void => {
    it(`contain every value: ${name}`, () => {
      fc.assert(
        fc.property(boxed(sample), fc.boolean(), ({ root, values, sizes, box }, sized) => {
          expect(holds(bounds(root, box, sized ? sizes : {}), evaluate(root, values, sizes))).toBe(true);
        }),
        { numRuns: 800 },
      );
    });
  };
  law('floats', expression());
  law('hostile floats', expression({ floats: hostile, literals: hostile, ints: fc.integer() }));
  law('ints', expression({ result: 'index', depth: 5 }));
  law(
    'ints that wrap',
    expression({ result: 'index', ints: fc.oneof(fc.integer(), fc.constantFrom(least, most)) }),
  );
  law('conditions', expression({ result: 'bool', depth: 5 }));
  law(
    'conditions on ints alone',
    expression({ result: 'bool', depth: 6, except: ['toInt', 'sum', 'tanh', 'sin'] }),
  );

  it('contain what float32 makes of every element-wise op', () => {
    const ops: Op[] = [
      'neg',
      'abs',
      'exp',
      'log',
      'log1p',
      'tanh',
      'sigmoid',
      'sqrt',
      'rsqrt',
      'floor',
      'erf',
      'sin',
      'cos',
      'add',
      'sub',
      'mul',
      'div',
      'minimum',
      'maximum',
      'pow',
      'floorDiv',
      'mod',
    ];
    const number = fc.oneof(
      fc.double({ min: -100, max: 100, noNaN: true }),
      fc.float({ noNaN: true }),
      fc.double({ noNaN: true }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...ops), number, number, (op, a, b) => {
        const args = [x, y].slice(0, arity[op] as number).map(asNode);
        const root = asExpr<Scalar>(build(home, op, args, null));
        // A device rounds its operands, then its result.
        const [left, right] = [Math.fround(a), Math.fround(b)];
        const result = Math.fround(evaluate(root, { x: left, y: right }));
        // In float32 the steps of mod round one by one: covered by its slack.
        expect(holds(bounds(root, { x: between(a, a), y: between(b, b) }), result)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  describe('of ints are exact', () => {
    const small = fc
      .tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: 0, max: 6 }))
      .map(([low, width]) => between(low, low + width));
    const all = (of: Interval): number[] =>
      Array.from({ length: of.high - of.low + 1 }, (_, k) => of.low + k);
    const exact = (root: Expr<Index> | Expr<Bool>, boxI: Interval, boxJ: Interval): void => {
      const results = all(boxI).flatMap((a) =>
        all(boxJ).map((b) => Number(evaluate(root as Expr<Index>, { i: a, j: b }))),
      );
      expect(bounds(root, { i: boxI, j: boxJ })).toEqual(between(Math.min(...results), Math.max(...results)));
    };
    it.each<Op>(['add', 'sub', 'minimum', 'maximum', 'mul', 'lt', 'le', 'gt', 'ge', 'eq', 'ne'])(
      '%s',
      (op) => {
        const root = asExpr<Index>(build(home, op, [asNode(i), asNode(j)], null));
        fc.assert(fc.property(small, small, (a, b) => exact(root, a, b)));
      },
    );
    it.each<Op>(['mod', 'floorDiv'])('%s by a positive literal', (op) => {
      fc.assert(
        fc.property(small, fc.integer({ min: 1, max: 12 }), (a, by) => {
          const root = asExpr<Index>(build(home, op, [asNode(i), constant(home, by, 'int')], null));
          if (op === 'floorDiv' || Math.floor(a.low / by) === Math.floor(a.high / by))
            exact(root, a, between(0, 0));
          else expect(bounds(root, { i: a })).toEqual(between(0, by - 1));
        }),
      );
    });
    it('neg, abs, sign and affine forms', () => {
      fc.assert(
        fc.property(small, small, fc.integer({ min: -5, max: 5 }), (a, b, times) => {
          exact(author.neg(i), a, between(0, 0));
          exact(author.abs(i), a, between(0, 0));
          exact(author.sign(i), a, between(0, 0));
          exact(author.add(author.mul(i, times), author.sub(3, j)), a, b);
        }),
      );
    });
  });

  it('cancel what occurs on both sides', () => {
    const box = { i: between(0, 7), j: between(8, 15), offset: between(0, 1_000_000) };
    const [left, right] = [author.add(i, offset), author.add(j, offset)];
    expect(bounds(author.sub(right, left), box)).toEqual(between(1, 15));
    expect(decide(author.lt(left, right), box)).toBe(true);
    expect(decide(author.ge(left, right), box)).toBe(false);
    expect(bounds(author.sub(i, i), {})).toEqual(between(0, 0));
    expect(bounds(author.sub(x, x), { x: between(-1, 1) })).toEqual(between(0, 0));
  });

  it('do not cancel what may wrap', () => {
    const [left, right] = [author.add(i, offset), author.add(j, offset)];
    // With the largest offset the right side wraps to the smallest int.
    const box = { i: between(0, 0), j: between(1, 1) };
    expect(evaluate(author.lt(left, right), { i: 0, j: 1, offset: most })).toBe(false);
    expect(decide(author.lt(left, right), box)).toBe(undefined);
    expect(bounds(author.add(i, 1), { i: between(most - 1, most) })).toEqual(between(least, most));
  });

  it('say when NaN may come out', () => {
    expect(bounds(author.sqrt(x), { x: between(-1, 4) })).toMatchObject({ low: 0, nan: true });
    expect(bounds(author.sqrt(x), { x: between(1, 4) })).not.toHaveProperty('nan');
    expect(decide(author.lt(author.sqrt(x), 5), { x: between(-1, 4) })).toBe(undefined);
    expect(decide(author.lt(author.sqrt(x), 5), { x: between(0, 4) })).toBe(true);
    expect(decide(author.eq(x, x), {})).toBe(undefined);
    expect(decide(author.eq(x, x), { x: between(0, 4) })).toBe(true);
    expect(decide(author.lt(x, x), {})).toBe(false);
  });

  it('round floats outward to float32 and keep whole numbers exact', () => {
    expect(bounds(author.add(x, 1), { x: between(0, 1) })).toEqual(between(1, 2));
    expect(bounds(author.mul(author.toFloat(i), -2), { i: between(0, 100) })).toEqual(between(-200, 0));
    const tenth = bounds(author.add(x, 0.1), { x: between(0, 0) });
    expect([tenth.low < 0.1, tenth.high > 0.1, tenth.high - tenth.low < 1e-7]).toEqual([true, true, true]);
    expect(bounds(author.sigmoid(x), {})).toEqual({ low: 0, high: 1, nan: true });
    expect(bounds(author.cos(x), { x: between(-0.1, 0.1) }).high).toBe(1);
    expect(bounds(author.sin(x), { x: between(0, 1.5) }).high).toBeLessThan(1);
  });

  it('of vectors are those of all elements', () => {
    const box = { v: between(-1, 2) };
    expect(bounds(author.sum(v), box, { n: 4 })).toMatchObject({
      low: expect.closeTo(-4, 4),
      high: expect.closeTo(8, 4),
    });
    expect(bounds(author.sum(v), box)).toEqual({ low: -Infinity, high: Infinity, nan: true });
    expect(bounds(author.max(v), box, { n: 4 })).toEqual(between(-1, 2));
    expect(bounds(author.max(v), box)).toEqual(between(-Infinity, 2));
    expect(bounds(author.max(v), box, { n: 0 })).toEqual(between(-Infinity, -Infinity));
    expect(bounds(author.norm(v), box, { n: 4 })).toMatchObject({ low: 0, high: expect.closeTo(4, 2) });
    expect(bounds(author.pick(v, i), { ...box, v: between(1, 2), i: between(0, 3) }, { n: 4 })).toEqual(
      between(1, 2),
    );
    expect(bounds(author.pick(v, i), { ...box, v: between(1, 2), i: between(0, 4) }, { n: 4 })).toEqual(
      between(0, 2),
    );
  });

  it('of a table are those of its entries, and zero for reads outside', () => {
    const lengths = asExpr<ReturnType<typeof table<1>>>(input(home, 'lengths', table(1, index) as never));
    const entry = author.at(lengths, i) as unknown as Expr<Index>;
    expect(bounds(entry, { lengths: between(5, 9) })).toEqual(between(0, 9));
    expect(bounds(entry, {})).toEqual(between(least, most));
    expect(decide(author.lt(j, entry), { lengths: between(5, 9), j: between(9, 20) })).toBe(false);
  });

  it('refuse an interval that is none', () => {
    expect(() => bounds(i, { i: between(2, 1) })).toThrow(
      'bounds: input "i": expected an interval with low <= high, got low 2, high 1.',
    );
    expect(() => bounds(x, { x: between(NaN, 1) })).toThrow('expected an interval with low <= high');
    expect(() => bounds(i, { i: between(0.2, 0.8) })).toThrow(
      'expected an interval that holds a value of index, got 0.2 to 0.8.',
    );
    expect(bounds(i, { i: between(-0.5, 3.5), constructor: between(0, 0) })).toEqual(between(0, 3));
  });

  it('are asked again and again by a bounder', () => {
    const ask = bounder(author.sub(i, j));
    expect([
      ask({ i: between(0, 1), j: between(0, 1) }),
      ask({ i: between(5, 5), j: between(1, 2) }),
    ]).toEqual([between(-1, 1), between(3, 4)]);
  });
});

describe('decide', () => {
  const tile = (i0: number, j0: number): Box => ({ i: between(i0, i0 + 3), j: between(j0, j0 + 3) });
  const band = author.and(author.le(j, i), author.le(author.sub(i, j), 5));

  it('tells full tiles from empty and mixed ones', () => {
    expect(decide(author.le(j, i), tile(4, 0))).toBe(true);
    expect(decide(author.le(j, i), tile(0, 4))).toBe(false);
    expect(decide(author.le(j, i), tile(0, 0))).toBe(undefined);
    expect(decide(band, tile(12, 0))).toBe(false);
  });

  it('needs one false of and, one true of or', () => {
    expect(decide(author.and(p, author.lt(i, 0)), tile(0, 0))).toBe(false);
    expect(decide(author.or(author.ge(i, 0), p), tile(0, 0))).toBe(true);
    expect(decide(author.not(author.or(author.ge(i, 0), p)), tile(0, 0))).toBe(false);
    expect(decide(author.select(author.ge(i, 0), author.lt(j, 9), p), tile(0, 0))).toBe(true);
  });

  it('is right about every tile of a band', () => {
    for (let i0 = 0; i0 < 16; i0 += 4) {
      for (let j0 = 0; j0 < 16; j0 += 4) {
        const all: boolean[] = [];
        for (let a = i0; a < i0 + 4; a++)
          for (let b = j0; b < j0 + 4; b++) all.push(evaluate(band, { i: a, j: b }));
        const expected = all.every(Boolean) ? true : all.some(Boolean) ? undefined : false;
        expect(decide(band, tile(i0, j0))).toBe(expected);
      }
    }
  });
});
