// The typing rule of every op, in one table: what the arguments must be and what comes out.

import { ExpressionError } from './error.ts';
import type { Graph, Node, NodeOf } from './node.ts';
import { arity, type Data, type Op } from './op.ts';
import { bool, type Dim, describeType, index, sameType, scalar, type Type } from './type.ts';

type Rule<O extends Op> = (types: readonly Type[], data: NodeOf<O>['data']) => Type;

class Mismatch extends Error {}
const refuse = (text: string): never => {
  throw new Mismatch(text);
};
const must = (condition: boolean, text: () => string): void => {
  if (!condition) refuse(text());
};

const value = (type: Type): Type =>
  type.lookups === 0 ? type : refuse(`${describeType(type)} must be read with at(table, index) first`);
const rank = (type: Type, expected: number, name: string): Type => {
  must(value(type).dims.length === expected, () => `expected ${name}, got ${describeType(type)}`);
  return type;
};
const float = (type: Type): Type => {
  must(
    value(type).element === 'float',
    () => `expected floats, got ${describeType(type)}: write toFloat(...)`,
  );
  return type;
};
const number = (type: Type): Type => {
  must(
    value(type).element !== 'bool',
    () => `expected numbers, got ${describeType(type)}: write select(...)`,
  );
  return type;
};
const truth = (type: Type): Type => {
  must(
    value(type).element === 'bool',
    () => `expected a condition such as lt(a, b), got ${describeType(type)}`,
  );
  return type;
};
const int = (type: Type): Type => {
  must(
    value(type).element === 'int' && type.dims.length === 0,
    () => `expected an index, got ${describeType(type)}`,
  );
  return type;
};
const like = (type: Type, element: Type['element']): Type => ({ ...type, element });

/** The common shape of two operands: equal dims, or a scalar repeated. */
const meet = (a: Type, b: Type): Type => {
  must(a.element === b.element, () => `cannot mix ${describeType(a)} and ${describeType(b)}`);
  if (a.dims.length === 0) return b;
  must(
    b.dims.length === 0 || sameType(a, b),
    () => `cannot combine ${describeType(a)} with ${describeType(b)}`,
  );
  return a;
};

const dimAt = (type: Type, at: number): Dim => type.dims[at] as Dim;
const cut = (type: Type, axis: number, dim: Dim): Type => {
  must(axis < value(type).dims.length, () => `${describeType(type)} has no axis ${axis}`);
  return { ...type, dims: type.dims.map((old, i) => (i === axis ? dim : old)) };
};
const unary = (check: (type: Type) => Type) => (types: readonly Type[]) => check(types[0] as Type);
const binary =
  (check: (type: Type) => Type, out?: Type['element']) =>
  ([a, b]: readonly Type[]) => {
    const type = meet(check(a as Type), check(b as Type));
    return out ? like(type, out) : type;
  };
const reduction = ([v]: readonly Type[]): Type => {
  rank(float(v as Type), 1, 'a vector');
  return scalar;
};

const rules: { readonly [O in Op]: Rule<O> } = {
  const: () => scalar,
  input: () => scalar,
  size: () => scalar,
  neg: unary(number),
  abs: unary(number),
  sign: unary(number),
  exp: unary(float),
  log: unary(float),
  log1p: unary(float),
  tanh: unary(float),
  sigmoid: unary(float),
  sqrt: unary(float),
  rsqrt: unary(float),
  floor: unary(float),
  erf: unary(float),
  sin: unary(float),
  cos: unary(float),
  not: unary(truth),
  toFloat: ([a]) => like(value(a as Type), 'float'),
  toInt: ([a]) => like(number(a as Type), 'int'),
  add: binary(number),
  sub: binary(number),
  mul: binary(number),
  minimum: binary(number),
  maximum: binary(number),
  mod: binary(number),
  floorDiv: binary(number),
  div: binary(float),
  pow: binary(float),
  lt: binary(number, 'bool'),
  le: binary(number, 'bool'),
  gt: binary(number, 'bool'),
  ge: binary(number, 'bool'),
  eq: binary(number, 'bool'),
  ne: binary(number, 'bool'),
  and: binary(truth),
  or: binary(truth),
  select: ([condition, a, b]) => {
    const type = meet(value(a as Type), value(b as Type));
    const by = truth(condition as Type);
    must(
      by.dims.length === 0 || by.dims.join() === type.dims.join(),
      () => `condition ${describeType(by)} does not fit ${describeType(type)}`,
    );
    return type;
  },
  dot: ([a, b]) => {
    const left = rank(float(a as Type), 1, 'a vector');
    const right = rank(float(b as Type), 1, 'a vector');
    must(
      left.dims[0] === right.dims[0],
      () => `cannot multiply ${describeType(left)} with ${describeType(right)}: the dims differ`,
    );
    return scalar;
  },
  sum: reduction,
  max: reduction,
  min: reduction,
  norm: reduction,
  concat: ([a, b]) => {
    const left = rank(float(a as Type), 1, 'a vector');
    const right = rank(float(b as Type), 1, 'a vector');
    return { ...left, dims: [`${left.dims[0]}+${right.dims[0]}`] };
  },
  slice: ([a], data) => cut(float(a as Type), data.axis, data.dim),
  place: ([a], data) => cut(float(a as Type), data.axis, data.dim),
  fill: ([a], data) => ({ ...rank(float(a as Type), 0, 'a scalar'), dims: [data.dim] }),
  pick: ([v, i]) => {
    int(i as Type);
    rank(float(v as Type), 1, 'a vector');
    return scalar;
  },
  spread: ([x, i], data) => {
    int(i as Type);
    return { ...rank(float(x as Type), 0, 'a scalar'), dims: [data.dim] };
  },
  matvec: ([w, x]) => {
    const matrix = rank(float(w as Type), 2, 'a matrix');
    const vector = rank(float(x as Type), 1, 'a vector');
    must(
      matrix.dims[1] === vector.dims[0],
      () =>
        `cannot multiply ${describeType(matrix)} by ${describeType(vector)}: the matrix has ${matrix.dims[1]} columns${matrix.dims[0] === vector.dims[0] ? '; vecmat(x, W) multiplies by its transpose' : ''}`,
    );
    return { ...vector, dims: [dimAt(matrix, 0)] };
  },
  vecmat: ([x, w]) => {
    const vector = rank(float(x as Type), 1, 'a vector');
    const matrix = rank(float(w as Type), 2, 'a matrix');
    must(
      matrix.dims[0] === vector.dims[0],
      () =>
        `cannot multiply ${describeType(vector)} by ${describeType(matrix)}: the matrix has ${matrix.dims[0]} rows${matrix.dims[1] === vector.dims[0] ? '; matvec(W, x) multiplies by its columns' : ''}`,
    );
    return { ...vector, dims: [dimAt(matrix, 1)] };
  },
  outer: ([a, b]) => ({
    ...scalar,
    dims: [dimAt(rank(float(a as Type), 1, 'a vector'), 0), dimAt(rank(float(b as Type), 1, 'a vector'), 0)],
  }),
  at: ([of, ...indices]) => {
    const source = of as Type;
    must(source.lookups > 0, () => `expected a table, got ${describeType(source)}`);
    must(
      indices.length === source.lookups,
      () => `${describeType(source)} takes ${source.lookups} indices, got ${indices.length}`,
    );
    indices.forEach(int);
    return { ...source, lookups: 0 };
  },
  entry: ([of, ...indices]) => {
    indices.forEach(int);
    return { ...value(of as Type), lookups: indices.length };
  },
  random: (counters) => {
    counters.forEach(int);
    return scalar;
  },
};

/** Makes a node of any op after checking its arguments: the untyped door, for passes. */
export function build(home: Graph, op: Op, args: readonly Node[], data: Node['data']): Node {
  const count = arity[op];
  try {
    if (count === 'indices' ? args.length < 2 : args.length !== count) {
      refuse(
        `expected ${count === 'indices' ? 'a value and its indices' : `${count} arguments`}, got ${args.length}`,
      );
    }
    // The derivative of a table is a table: entries are added like any values.
    const tables = op === 'add' && args.every((arg) => arg.type.lookups > 0);
    if (tables)
      must(sameType((args[0] as Node).type, (args[1] as Node).type), () => `cannot add unlike tables`);
    const type = tables
      ? (args[0] as Node).type
      : (rules[op] as Rule<Op>)(
          args.map((arg) => arg.type),
          data,
        );
    return home.make(op, type, args, data);
  } catch (problem) {
    if (problem instanceof Mismatch) throw new ExpressionError(`${op}: ${problem.message}.`);
    throw problem;
  }
}

/** A literal in a graph. @throws ExpressionError for an int that is not whole or not of 32 bits, and a bool not 0 or 1. */
export function constant(home: Graph, of: number, element: Type['element'] = 'float'): Node {
  if (element === 'float') return home.make('const', scalar, [], { value: of });
  if (element === 'bool' && of !== 0 && of !== 1)
    throw new ExpressionError(`expected a bool as 0 or 1, got ${of}.`);
  // |0 is what 32 bits make of a number, minus zero included.
  if (!Object.is(of | 0, of + 0))
    throw new ExpressionError(`expected a whole number of 32 bits as an index, got ${of}.`);
  return home.make('const', element === 'int' ? index : bool, [], { value: of | 0 });
}

/** A named input in a graph, varying along the given axes. */
export const input = (home: Graph, name: string, type: Type, along: readonly string[] = []): Node =>
  home.make('input', type, [], { name, along: Object.freeze([...along]) } satisfies Data['input']);
