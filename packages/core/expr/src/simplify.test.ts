import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expression, hostile, type Kind, type Sample } from './arbitraries.fixture.ts';
import { arithmeticRules } from './arithmetic-rules.ts';
import { evaluate } from './evaluate.ts';
import { input } from './infer.ts';
import { logicRules } from './logic-rules.ts';
import { asExpr, asNode, type Expr, Graph } from './node.ts';
import type { Op } from './op.ts';
import { parse } from './parse.ts';
import { print } from './print.ts';
import { shapeRules } from './shape-rules.ts';
import { simplify } from './simplify.ts';
import { bool, index, mat, scalar, type Type, vec } from './type.ts';
import type { Value } from './value.ts';
import { reachable } from './walk.ts';

const home = new Graph();
const scope = {
  x: asExpr(input(home, 'x', scalar)),
  y: asExpr(input(home, 'y', scalar)),
  i: asExpr(input(home, 'i', index)),
  j: asExpr(input(home, 'j', index)),
  p: asExpr(input(home, 'p', bool)),
  q: asExpr(input(home, 'q', bool)),
  u: asExpr(input(home, 'u', vec('m'))),
  v: asExpr(input(home, 'v', vec('n'))),
  uv: asExpr(input(home, 'uv', vec('m+n'))),
  w: asExpr(input(home, 'w', mat('m', 'n'))),
};
const sizes = { m: 2, n: 3 };

// Each rule, by an example: formula, result.
const examples: readonly (readonly [string, string])[] = [
  // literals
  ['add(2, 3) * x', 'mul(5, x)'],
  ['x + exp(0) * 0.5', 'add(x, 0.5)'],
  ['toFloat(7i) / sqrt(16) + x', 'add(1.75, x)'],
  ['random(0i, 0i, 0i, 0i)', String(0x6b2001 / 2 ** 24)],
  ['lt(1, 2) and p', 'p'],
  // signs
  ['neg(neg(x))', 'x'],
  ['neg(x - y)', 'sub(y, x)'],
  ['abs(-x)', 'abs(x)'],
  ['abs(abs(x))', 'abs(x)'],
  ['x + -y', 'sub(x, y)'],
  ['-x + y', 'sub(y, x)'],
  ['x - -y', 'add(x, y)'],
  ['0 - x', 'neg(x)'],
  ['neg(x) * neg(y)', 'mul(x, y)'],
  ['neg(x) * 3', 'mul(x, -3)'],
  ['neg(x) / neg(y)', 'div(x, y)'],
  ['x * -1', 'neg(x)'],
  ['x / -1', 'neg(x)'],
  // neutral elements
  ['x + 0', 'x'],
  ['-0 + x', 'x'],
  ['x - 0', 'x'],
  ['1 * x', 'x'],
  ['u * 1', 'u'],
  ['x / 1', 'x'],
  ['x / 4', 'mul(x, 0.25)'],
  ['x / 3', 'div(x, 3)'],
  ['x^0', '1'],
  ['u^0', "fill(1, 'm')"],
  ['x^1', 'x'],
  ['x^2', 'mul(x, x)'],
  ['minimum(x, x)', 'x'],
  ['maximum(x, x)', 'x'],
  ['minimum(x, Infinity)', 'x'],
  ['maximum(-Infinity, x)', 'x'],
  ['minimum(minimum(x, 3), 2)', 'minimum(x, 2)'],
  ['maximum(1, maximum(3, x))', 'maximum(x, 3)'],
  // floats are not rings
  ['x * 0', 'mul(x, 0)'],
  ['x - x', 'sub(x, x)'],
  ['x / x', 'div(x, x)'],
  ['x + y - y', 'sub(add(x, y), y)'],
  ['x * 3 * 5', 'mul(mul(x, 3), 5)'],
  ['eq(x, x)', 'eq(x, x)'],
  // ints are
  ['i * 0', '0i'],
  ['i - i', '0i'],
  ['i + 3 + 4', 'add(i, 7i)'],
  ['3 + i - 4', 'add(i, -1i)'],
  ['i + 3 - 3', 'i'],
  ['mod(i, 1)', '0i'],
  ['mod(mod(i, j), j)', 'mod(i, j)'],
  ['floorDiv(i, 1)', 'i'],
  ['floorDiv(x, 1)', 'floor(x)'],
  ['floorDiv(i, -1)', 'neg(i)'],
  ['floorDiv(i, 0)', '0i'],
  ['toInt(toFloat(i))', 'i'],
  ['toInt(i)', 'i'],
  ['toFloat(x)', 'x'],
  ['toInt(floor(x))', 'toInt(x)'],
  ['floor(floor(x))', 'floor(x)'],
  ['floor(toFloat(i))', 'toFloat(i)'],
  // conditions
  ['i < i', 'false'],
  ['x > x', 'false'],
  ['i <= i', 'true'],
  ['i == i', 'true'],
  ['i != i', 'false'],
  ['toFloat(i) < toFloat(j)', 'lt(i, j)'],
  ['not not p', 'p'],
  ['not (i < j)', 'ge(i, j)'],
  ['not (x < y)', 'not(lt(x, y))'],
  ['not (x == y)', 'ne(x, y)'],
  ['p and true', 'p'],
  ['p and false', 'false'],
  ['p or false', 'p'],
  ['p or true', 'true'],
  ['p and p', 'p'],
  ['p or q or p', 'or(p, q)'],
  ['p and not p', 'false'],
  ['not p or p', 'true'],
  ['if 1 < 2 then x else y', 'x'],
  ['if p then x else x', 'x'],
  ['if not p then x else y', 'select(p, y, x)'],
  ['if p then (if p then x else 1) else y', 'select(p, x, y)'],
  ['if p then true else false', 'p'],
  ['if p then false else true', 'not(p)'],
  ['if p then true else q', 'or(p, q)'],
  ['if p then q else false', 'and(p, q)'],
  ['if true then u * 0 else u', 'mul(u, 0)'],
  ['if false then u else x', "fill(x, 'm')"],
  // vectors
  ["dot(fill(1, 'm'), u)", 'sum(u)'],
  ["u + fill(x, 'm')", 'add(u, x)'],
  ["exp(fill(x, 'm'))", "fill(exp(x), 'm')"],
  ["u * fill(1, 'm')", 'u'],
  ['dot(-u, -u)', 'dot(u, u)'],
  ['norm(-u)', 'norm(u)'],
  ['norm(abs(u))', 'norm(u)'],
  ["sum(place(u, '1', '9'))", 'sum(u)'],
  ["max(fill(x, 'm'))", 'x'],
  ["concat(fill(x, 'm'), fill(x, 'n'))", "fill(x, 'm+n')"],
  ["concat(slice(uv, '0', 'm'), slice(uv, 'm', 'n'))", 'uv'],
  ["slice(concat(u, v), 'm', 'n')", 'v'],
  ["slice(concat(u, v), '0', 'm')", 'u'],
  ["slice(concat(u, v), '3', '1')", "slice(v, '1', '1')"],
  ["slice(concat(u, v), '1', '2')", "slice(concat(u, v), '1', '2')"],
  ["slice(slice(uv, '1', '3'), '1', '2')", "slice(uv, '2', '2')"],
  ["slice(u, '0', 'm')", 'u'],
  ["slice(fill(x, 'm'), '0', '1')", "fill(x, '1')"],
  ["slice(place(u, 'n', 'm+n'), 'n', 'm')", 'u'],
  ["place(place(u, '1', '5'), '2', '9')", "place(u, '3', '9')"],
  ["place(u, '0', 'm')", 'u'],
  ["pick(fill(x, 'm'), 1)", 'x'],
  ['pick(u, 2)', '0'],
  ['pick(u, -1)', '0'],
  ["size('m+n') * x", 'mul(5, x)'],
];

/** A value as text, zeros without their sign. */
const text = (value: Value): string =>
  JSON.stringify(
    typeof value === 'object' && 'length' in value
      ? Array.from(value, (one) => String(one + 0))
      : String(typeof value === 'number' ? value + 0 : value),
  );

const operations = (root: Expr): number =>
  [...reachable([asNode(root)])].filter(({ args }) => args.length > 0).length;
const kinds: readonly Kind[] = ['scalar', 'index', 'bool', 'vecM', 'vecMN', 'mat'];
const anything = (options: Parameters<typeof expression>[0]): fc.Arbitrary<Sample> =>
  fc.oneof(...kinds.map((result) => expression({ ...options, result })));

describe('simplify', () => {
  const reasons = new Set<string>();
  it.each(examples)('%s is %s', (formula, expected) => {
    const root = parse(formula, scope);
    expect(print(simplify(root, { sizes, because: (reason) => reasons.add(reason) }))).toBe(expected);
  });

  it('has an example of every rule', () => {
    const all = [arithmeticRules, logicRules, shapeRules].flatMap((table) =>
      Object.values(table).flatMap(Object.keys),
    );
    expect([...new Set(all)].filter((reason) => !reasons.has(reason))).toEqual([]);
  });

  it('changes no value in any of its steps, but the sign of a zero', () => {
    fc.assert(
      fc.property(
        anything({
          floats: hostile,
          literals: fc.oneof(hostile, fc.constantFrom(0, 1, -1, 2, 0.5)),
          ints: fc.oneof(fc.integer(), fc.integer({ min: -3, max: 3 })),
          depth: 5,
        }),
        fc.boolean(),
        ({ root, values, sizes: given }, sized) => {
          simplify(root, {
            ...(sized && { sizes: given }),
            because: (reason, before, after) => {
              expect(`${reason}: ${text(evaluate<Type>(after, values, given))}`).toBe(
                `${reason}: ${text(evaluate<Type>(before, values, given))}`,
              );
            },
          });
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('changes no value where zeros have no sign', () => {
    // 1 / 0 and 1 / -0 differ, and so do powers of them.
    const except: readonly Op[] = ['div', 'rsqrt', 'pow', 'mod', 'floorDiv'];
    fc.assert(
      fc.property(anything({ floats: hostile, except, depth: 5 }), ({ root, values, sizes: given }) => {
        const simple = simplify(root as Expr, { sizes: given });
        expect(text(evaluate(simple, values, given))).toBe(text(evaluate(root as Expr, values, given)));
      }),
      { numRuns: 1000 },
    );
  });

  it('leaves as many operations or fewer, and finds nothing more the second time', () => {
    fc.assert(
      fc.property(anything({ except: ['fill'], depth: 5 }), ({ root }) => {
        const simple = simplify(root as Expr);
        // x^0 of a vector is the one thing that becomes repeated here.
        const repeated = [...reachable([asNode(simple)])].some(({ op }) => op === 'fill');
        if (!repeated) expect(operations(simple)).toBeLessThanOrEqual(operations(root));
        expect(simplify(simple)).toBe(simple);
      }),
      { numRuns: 1000 },
    );
  });

  it('keeps the type', () => {
    fc.assert(
      fc.property(anything({}), ({ root }) => {
        expect(simplify(root as Expr).type).toEqual((root as Expr).type);
      }),
    );
  });

  it('says why', () => {
    const told: string[] = [];
    simplify(parse('(x + 0) * exp(0)', scope), {
      because: (reason, before, after) => told.push(`${print(before)} is ${print(after)}: ${reason}`),
    });
    expect(told).toEqual([
      'add(x, 0) is x: x + 0 = x',
      'exp(0) is 1: computed from literals',
      'mul(x, 1) is x: 1 x = x',
    ]);
  });

  it('simplifies a graph of exponential size in its own size', () => {
    let formula = 'a0 = x + 0;';
    for (let level = 1; level <= 200; level++) formula += `a${level} = a${level - 1} + a${level - 1} * 1;`;
    const simple = simplify(parse(`${formula} a200`, scope));
    expect(operations(simple)).toBe(200);
  });
});
