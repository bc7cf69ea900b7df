// Formulas of two sides, at random and by hand, and what must hold of them when staged.

import fc from 'fast-check';
import { expect } from 'vitest';
import { add, exp } from './author.ts';
import { evaluate } from './evaluate.ts';
import { build, input } from './infer.ts';
import { asExpr, asNode, type Expr, Graph, type Node } from './node.ts';
import type { Op } from './op.ts';
import { print } from './print.ts';
import { Sides } from './side.ts';
import { type Staged, type StageOptions, stage } from './stage.ts';
import { index, mat, type Sizes, scalar, type Type, vec } from './type.ts';
import type { Value } from './value.ts';
import { reachable } from './walk.ts';

export const pair = ['left', 'right'] as const;
export type Values = Readonly<Record<string, Value>>;

export const home = new Graph();
export const given = <T extends Type>(name: string, type: T, ...along: string[]): Expr<T> =>
  asExpr<T>(input(home, name, type, along));
export const n = vec('n');
export const [l, l2] = [given('l', n, 'left'), given('l2', n, 'left')];
export const r = given('r', n, 'right');
const r2 = given('r2', n, 'right');
export const [v, c] = [given('v', n), given('c', n)];
export const [w, u] = [given('w', mat('n', 'n')), given('u', mat('n', 'n'))];
export const wide = given('wide', mat('n', 'n+n'));
export const long = given('long', vec('n+n'));
export const [sl, sr, s] = [given('sl', scalar, 'left'), given('sr', scalar, 'right'), given('s', scalar)];
export const [il, ir] = [given('il', index, 'left'), given('ir', index, 'right')];

export const run = ({ roots, hoisted }: Staged, values: Values, sizes: Sizes): Record<string, Value> => {
  const all: Record<string, Value> = { ...values };
  for (const { name, body } of hoisted) all[name] = evaluate(body, all, sizes);
  return Object.fromEntries(Object.entries(roots).map(([name, root]) => [name, evaluate(root, all, sizes)]));
};
const numbers = (value: Value): number[] =>
  typeof value === 'object' ? Array.from('data' in value ? value.data : value) : [Number(value)];

/** The largest number that occurs while an expression is evaluated. */
const magnitude = (root: Expr, values: Values, sizes: Sizes): number =>
  Math.max(
    ...[...reachable([asNode(root)])].flatMap((node) =>
      numbers(evaluate(asExpr(node), values, sizes)).map(Math.abs),
    ),
  );

/** Staging takes sums in another order: a few hundred roundings of the largest numbers and of their products. */
export function sameValue(
  root: Expr,
  values: Values,
  sizes: Sizes,
  options: Partial<StageOptions> = {},
): void {
  const big = magnitude(root, values, sizes);
  fc.pre(big < 1e6);
  const staged = stage({ root }, { pair, ...options });
  const got = numbers(run(staged, values, sizes).root as Value);
  const slack = 512 * Number.EPSILON * (1 + big) ** 2;
  numbers(evaluate(root, values, sizes)).forEach((one, i) => {
    if (Number.isNaN(one)) expect(got[i]).toBeNaN();
    else expect(Math.abs((got[i] as number) - one)).toBeLessThanOrEqual(slack);
  });
}

export function isStaged(staged: Staged, options: Partial<StageOptions> = {}): void {
  const sides = new Sides(pair, options.sides);
  for (const node of reachable(Object.values(staged.roots).map(asNode))) {
    if (['matvec', 'vecmat', 'outer', 'norm'].includes(node.op) && sides.along(node).length > 0)
      expect(sides.of(node)).toBe(3);
    if (node.op === 'dot' && node.args.every((arg) => !sides.isPair(arg))) {
      expect(node.args.map((arg) => arg.op)).toEqual(['input', 'input']);
    }
  }
  const again = stage(staged.roots, { pair, ...options });
  expect(again.hoisted).toEqual([]);
  expect(again.notes).toEqual([]);
  for (const [name, root] of Object.entries(staged.roots)) expect(again.roots[name]).toBe(root);
}

// Formulas rich in what the rules are about: sums, products and joins of vectors of both sides.
export const { scalarFormula } = fc.letrec<{
  vector: Node;
  joined: Node;
  scalarFormula: Node;
  number: Node;
}>((tie) => {
  const make = (op: Op, ...args: fc.Arbitrary<Node>[]): fc.Arbitrary<Node> =>
    fc.tuple(...args).map((of) => build(home, op, of, null));
  const leaf = (...of: Expr[]): fc.Arbitrary<Node> => fc.constantFrom(...of.map(asNode));
  const vector = tie('vector');
  const matrix = leaf(w, u);
  return {
    number: fc.oneof({ maxDepth: 2 }, leaf(s, sl, sr, s), make('dot', vector, vector), make('norm', vector)),
    joined: fc.oneof(
      { maxDepth: 4 },
      make('concat', vector, vector),
      make('tanh', tie('joined')),
      make('mul', tie('joined'), tie('number')),
      make('add', tie('joined'), tie('joined')),
    ),
    vector: fc.oneof(
      { maxDepth: 4 },
      leaf(l, l2, r, r2, v, c),
      make('add', vector, vector),
      make('sub', vector, vector),
      make('mul', vector, vector),
      make('neg', vector),
      make('mul', tie('number'), vector),
      make('add', vector, tie('number')),
      make('div', vector, fc.constant(asNode(add(exp(sl), exp(sr))))),
      make('tanh', vector),
      make('matvec', matrix, vector),
      make('vecmat', vector, matrix),
      make('matvec', leaf(wide), tie('joined')),
      make('matvec', make('mul', matrix, tie('number')), vector),
      make('matvec', make('outer', vector, vector), vector),
      tie('joined').map((of) => build(home, 'slice', [of], { axis: 0, from: 'n', dim: 'n' })),
    ),
    scalarFormula: fc.oneof(
      make('dot', vector, vector),
      make('sum', vector),
      make('dot', leaf(long), tie('joined')),
      make('add', tie('scalarFormula'), tie('scalarFormula')),
    ),
  };
});
const numberBetween = fc.double({ min: -1, max: 1, noNaN: true });
const list = (length: number): fc.Arbitrary<number[]> =>
  fc.array(numberBetween, { minLength: length, maxLength: length });
export const values = fc.record({
  l: list(3),
  l2: list(3),
  r: list(3),
  r2: list(3),
  v: list(3),
  c: list(3),
  w: list(9),
  u: list(9),
  wide: list(18),
  long: list(6),
  sl: numberBetween,
  sr: numberBetween,
  s: numberBetween,
});
export const choices = fc.record(
  {
    fewer: fc.constantFrom('left', 'right'),
    sizes: fc.constantFrom({}, { n: 3 }, { n: 3, left: 2, right: 5 }),
  },
  { requiredKeys: [] },
);

export const jumps: Op[] = [
  'floor',
  'mod',
  'floorDiv',
  'sign',
  'toInt',
  'lt',
  'le',
  'gt',
  'ge',
  'eq',
  'ne',
  'div',
  'rsqrt',
  'sqrt',
  'log',
  'log1p',
  'pow',
  'norm',
];

/** Rows and what is left, as text; and that staging is complete. */
export const staged = (root: Expr, options: Partial<StageOptions> = {}): string[] => {
  const result = stage({ root }, { pair, ...options });
  isStaged(result, options);
  return [
    ...result.hoisted.map(({ name, along, body }) => `${name} [${along}] = ${print(body)}`),
    print(result.roots.root as Expr),
  ];
};
