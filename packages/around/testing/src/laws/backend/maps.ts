// Attempts at map programs: every op of the expression language that works element by element.

import * as e from '@heed/expr';
import { type DType, dtypes, type MapProgram, type Uniforms } from '@heed/tensor';
import type { Random } from '../../random.ts';
import { type Attempt, drawn, isFloat } from './attempt.ts';

type Float = e.Expr<e.Scalar>;
type Int = e.Expr<e.Index>;
type Bool = e.Expr<e.Bool>;

/** What a formula may read: two floats, two ints, a bool, the coordinate, and uniforms. */
interface Symbols {
  readonly a: Float;
  readonly b: Float;
  readonly i: Int;
  readonly j: Int;
  readonly c: Bool;
  readonly axis: Int;
  readonly f: Float;
  readonly n: Int;
}

/** A float away from zero: where a quotient or a root is no trouble. */
const away = (x: Float): Float => e.add(e.abs(x), 0.5);

/** Formulas that give a float. Functions are asked where they are smooth; their edges are other formulas. */
const floatFormulas: Readonly<Record<string, (s: Symbols) => e.Expr>> = {
  identity: ({ a }) => a,
  'neg, abs, sign': ({ a, b }) => e.add(e.neg(a), e.mul(e.sign(b), e.abs(a))),
  'add, sub, mul': ({ a, b }) => e.sub(e.mul(a, b), e.add(a, b)),
  div: ({ a, b }) => e.div(a, away(b)),
  'minimum, maximum': ({ a, b }) => e.sub(e.maximum(a, b), e.mul(2, e.minimum(a, b))),
  pow: ({ a, b }) => e.pow(away(a), b),
  square: ({ a }) => e.pow(a, 2),
  exp: ({ a }) => e.exp(e.mul(3, a)),
  log: ({ a }) => e.log(away(a)),
  log1p: ({ a }) => e.log1p(e.abs(a)),
  tanh: ({ a }) => e.tanh(e.mul(2, a)),
  sigmoid: ({ a }) => e.sigmoid(e.mul(4, a)),
  'sqrt, rsqrt': ({ a }) => e.add(e.sqrt(e.abs(a)), e.rsqrt(away(a))),
  erf: ({ a }) => e.erf(e.mul(2, a)),
  'sin, cos': ({ a }) => e.sub(e.sin(e.mul(3, a)), e.cos(e.mul(3, a))),
  gelu: ({ a }) => e.gelu(a),
  select: ({ a, b, c }) => e.select(c, a, e.mul(b, 10)),
  'select hides a NaN': ({ a, c }) => e.select(e.gt(a, 0), e.log(a), e.select(c, a, 0)),
  'int to float': ({ a, i }) => e.mul(a, e.toFloat(i)),
  'coordinate and uniforms': ({ a, axis, f, n }) => e.add(e.mul(a, f), e.toFloat(e.add(axis, n))),
  random: ({ i, j, axis, n }) => e.random(n, axis, i, j),
};

const intFormulas: Readonly<Record<string, (s: Symbols) => e.Expr>> = {
  'add, sub, mul of ints': ({ i, j }) => e.sub(e.mul(i, j), e.add(i, j)),
  'mod and floorDiv take the sign of the divisor': ({ i, j }) =>
    e.add(e.mul(100, e.mod(i, j)), e.floorDiv(i, j)),
  'minimum, maximum, abs, sign of ints': ({ i, j }) =>
    e.add(e.minimum(i, j), e.mul(e.maximum(i, j), e.mul(e.abs(i), e.sign(j)))),
  'ints wrap': ({ i, j }) => e.mul(e.mul(e.add(i, 65_000), 66_000), e.add(j, 77)),
  'float to int, downwards': ({ a }) => e.toInt(e.mul(8, a)),
  coordinates: ({ axis, n }) => e.add(axis, n),
};

const boolFormulas: Readonly<Record<string, (s: Symbols) => e.Expr>> = {
  'lt, le, gt, ge of floats': ({ a, b, c }) =>
    e.or(e.and(e.lt(a, b), e.le(b, 0.5)), e.and(e.gt(a, 0.25), e.and(e.ge(b, a), e.not(c)))),
  'eq, ne of ints': ({ i, j, axis }) => e.or(e.eq(i, j), e.and(e.ne(j, 2), e.eq(axis, 0))),
};

// Multiples of a power of two are exact, so that no rounding crosses a whole number.
const floors: Readonly<Record<string, (s: Symbols) => e.Expr>> = {
  floor: ({ a }) => e.floor(e.mul(8, a)),
  'mod, floorDiv of floats': ({ i, j }) =>
    e.add(e.mod(e.toFloat(i), e.add(e.toFloat(j), 0.5)), e.floorDiv(e.toFloat(i), 4)),
};

/** Values at the edges: what a device that is careless of them gets wrong. */
const edges = [0, -0, 1, -1, Infinity, -Infinity, Number.NaN, 1e-30, -1e30];
const edgeFormulas: Readonly<Record<string, (s: Symbols) => e.Expr>> = {
  'neg, abs at the edges': ({ a }) => e.neg(e.abs(a)),
  'minimum, maximum of NaN are NaN': ({ a, b }) => e.maximum(e.minimum(a, b), b),
  'exp at the edges': ({ a }) => e.exp(a),
  'tanh at the edges': ({ a }) => e.tanh(a),
  'sigmoid at the edges': ({ a }) => e.sigmoid(a),
  'comparisons with NaN': ({ a, b }) =>
    e.select(e.lt(a, b), 1, e.select(e.ge(a, b), 2, e.select(e.ne(a, b), 3, 4))),
  'select at the edges': ({ a, b, c }) => e.select(c, a, b),
};

interface Form {
  readonly name: string;
  readonly formula: (s: Symbols) => e.Expr;
  readonly out: 'float' | 'int32' | 'bool';
  readonly edge: boolean;
}

const forms: readonly Form[] = [
  ...list(floatFormulas, 'float', false),
  ...list(floors, 'float', false),
  ...list(intFormulas, 'int32', false),
  ...list(boolFormulas, 'bool', false),
  ...list(edgeFormulas, 'float', true),
];

function list(of: Readonly<Record<string, (s: Symbols) => e.Expr>>, out: Form['out'], edge: boolean): Form[] {
  return Object.entries(of).map(([name, formula]) => ({ name, formula, out, edge }));
}

const typeOf: Readonly<Record<'float' | 'int' | 'bool', e.Type>> = {
  float: e.scalar,
  int: e.index,
  bool: e.bool,
};

/** Every formula once, on floats of this dtype. */
export function mapAttempts(floats: DType, random: Random): Attempt[] {
  return forms.map(({ name, formula, out, edge }): Attempt => {
    const rank = random.integer(0, 4);
    // An axis of zero or one, and one beyond a vector register.
    const shape = Array.from({ length: rank }, () => random.pick([0, 1, 2, 3, 5, 17]));
    if (!random.flip(0.1)) for (const [axis, size] of shape.entries()) shape[axis] = Math.max(1, size);
    const kinds = { a: floats, b: floats, i: 'int32', j: 'int32', c: 'bool' } as const;
    const body = trace(formula, rank);
    const read = new Set(e.inputsOf([body]).map(({ data }) => data.name));
    const each = edge ? { each: () => random.pick(edges) } : {};
    const nonZero = { each: () => random.integer(1, 9) * (random.flip() ? 1 : -1) };
    const inputs = Object.fromEntries(
      Object.entries(kinds)
        .filter(([kind]) => read.has(kind))
        .map(([kind, dtype]) => [
          kind,
          drawn(shape, dtype, random, kind === 'j' ? nonZero : isFloat(dtype) ? each : {}),
        ]),
    );
    const uniforms: Uniforms = {
      ...(read.has('f') ? { f: 'float' as const } : {}),
      ...(read.has('n') ? { n: 'int' as const } : {}),
    };
    const values = { f: 0.75, n: 12 };
    const dtype = out === 'float' ? floats : out;
    return {
      name: `map (${name}) of ${floats}`,
      program: (change): MapProgram => ({
        kind: 'map',
        rank,
        inputs: Object.fromEntries(Object.entries(inputs).map(([kind, one]) => [kind, change(one.dtype)])),
        uniforms,
        results: { out: { dtype: change(dtype), body } },
      }),
      inputs,
      results: { out: { shape, dtype } },
      uniforms: Object.fromEntries(Object.keys(uniforms).map((kind) => [kind, values[kind as 'f' | 'n']])),
      roundings: 8,
    };
  });
}

function trace(formula: (s: Symbols) => e.Expr, rank: number): e.Expr {
  const home = new e.Graph();
  const symbol = <T extends e.Type>(name: string, kind: 'float' | 'int' | 'bool'): e.Expr<T> =>
    e.asExpr<T>(e.input(home, name, typeOf[kind], []));
  return formula({
    a: symbol('a', 'float'),
    b: symbol('b', 'float'),
    i: symbol('i', 'int'),
    j: symbol('j', 'int'),
    c: symbol('c', 'bool'),
    // Rank 0 has no coordinate.
    axis: rank === 0 ? symbol('n', 'int') : symbol(`axis${rank - 1}`, 'int'),
    f: symbol('f', 'float'),
    n: symbol('n', 'int'),
  });
}

/** Conversions between every two stored dtypes. */
export function castAttempts(from: DType, to: DType, random: Random): Attempt {
  const shape = [3, 5];
  const body = castBody(from, to);
  return {
    name: `map from ${from} to ${to}`,
    program: (change) => ({
      kind: 'map',
      rank: 2,
      inputs: { a: change(from) },
      uniforms: {},
      results: { out: { dtype: change(to), body } },
    }),
    inputs: { a: drawn(shape, from, random, { scale: 3 }) },
    results: { out: { shape, dtype: to } },
    roundings: 1,
  };
}

function castBody(from: DType, to: DType): e.Expr {
  const home = new e.Graph();
  const element = dtypes[from].element;
  const given = e.asExpr<never>(e.input(home, 'a', typeOf[element], []));
  const wanted = to === 'int8' ? 'int8' : dtypes[to].element;
  const float =
    element === 'float'
      ? (given as Float)
      : element === 'int'
        ? e.toFloat(given as Int)
        : e.select(given as Bool, 1, 0);
  if (wanted === 'int8') return e.floor(e.maximum(e.minimum(float, 100), -100));
  if (wanted === 'float') return float;
  if (wanted === 'int') return element === 'int' ? given : e.toInt(float);
  return element === 'bool' ? given : e.ne(float, 0);
}
