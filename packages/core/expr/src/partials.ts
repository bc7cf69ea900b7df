// How each op's change passes to its arguments: the transposed derivative (adjoint), in one table.

import {
  cut,
  filled,
  indicator,
  isLiteral,
  literalBy,
  make,
  minus,
  negate,
  over,
  repeated,
  times,
  total,
} from './algebra.ts';
import { build } from './infer.ts';
import { graph, type Node, type NodeOf } from './node.ts';
import type { Op } from './op.ts';
import type { Dim } from './type.ts';

/** Where a rule is applied: y = op(a, b, c), and g, of y's type: how the root changes with each element of y. */
export interface Site<O extends Op = Op> {
  readonly g: Node;
  readonly y: Node & NodeOf<O>;
  readonly a: Node;
  readonly b: Node;
  readonly c: Node;
}

/**
 * How the root changes with each element of one argument. A scalar may stand for a vector of equal elements, and a vector
 * for a scalar argument that was repeated: whoever asks fits it to the argument's shape.
 */
export type Partial<O extends Op = Op> = (site: Site<O>) => Node;

const pass: Partial = ({ g }) => g;
const dimOf = (node: Node, axis = 0): Dim => node.type.dims[axis] as Dim;

// The condition of a select has the shape of its branches.
const alike = (scalar: Node, shape: Node): Node =>
  scalar.type.dims.length === 0 ? repeated(scalar, shape.type.dims) : scalar;

// As PyTorch: a tie is shared by halves, and NaN passes the change on.
const larger = (g: Node, mine: Node, other: Node): Node =>
  make('select', make('lt', mine, other), literalBy(g, 0), halfIfEqual(g, mine, other));
const halfIfEqual = (g: Node, mine: Node, other: Node): Node =>
  make('select', make('eq', mine, other), times(g, literalBy(g, 0.5)), g);

// g / (number of ties) where the element is the extreme one, else 0. As PyTorch's amax and JAX's max.
const sharedByTies: Partial<'max' | 'min'> = ({ g, y, a }) => {
  const tie = make('eq', a, y);
  return make('select', tie, filled(over(g, make('sum', indicator(tie))), dimOf(a)), literalBy(g, 0));
};

// b a^(b-1). Where b is zero the power is constant, also at a = 0, where b a^(b-1) would be 0 * infinity.
const powByBase: Partial<'pow'> = ({ g, a, b }) => {
  if (isLiteral(b)) {
    const n = b.data.value;
    if (n === 0) return literalBy(g, 0);
    const lower = n === 1 ? literalBy(g, 1) : n === 2 ? a : make('pow', a, literalBy(g, n - 1));
    return times(g, times(literalBy(g, n), lower));
  }
  const power = times(b, make('pow', a, minus(b, literalBy(b, 1))));
  const fitted = alike(b, power);
  return times(g, make('select', make('eq', fitted, literalBy(b, 0)), literalBy(b, 0), power));
};

// a^b log(a) where a > 0. At a = 0 that tends to 0; below it a^b is real at isolated b only, and has no derivative: 0.
const powByExponent: Partial<'pow'> = ({ g, y, a }) => {
  const change = times(y, make('log', a));
  const fitted = alike(a, change);
  return times(g, make('select', make('gt', fitted, literalBy(a, 0)), change, literalBy(a, 0)));
};

/** One rule for each argument; null, or nothing, where no change passes: ints, bools, steps. */
export const partials: { readonly [O in Op]: readonly (Partial<O> | null)[] } = {
  const: [],
  input: [],
  size: [],
  random: [],

  neg: [({ g }) => negate(g)],
  // g sign(a): 0 at 0.
  abs: [({ g, a }) => times(g, make('sign', a))],
  sign: [],
  floor: [],
  not: [],
  toFloat: [],
  toInt: [],

  // g y
  exp: [({ g, y }) => times(g, y)],
  // g / a
  log: [({ g, a }) => over(g, a)],
  // g / (1 + a)
  log1p: [({ g, a }) => over(g, make('add', a, literalBy(a, 1)))],
  // g (1 - y²)
  tanh: [({ g, y }) => times(g, minus(literalBy(y, 1), times(y, y)))],
  // g y (1 - y)
  sigmoid: [({ g, y }) => times(g, times(y, minus(literalBy(y, 1), y)))],
  // g / (2 y)
  sqrt: [({ g, y }) => over(times(g, literalBy(g, 0.5)), y)],
  // -g y³ / 2
  rsqrt: [({ g, y }) => times(g, times(literalBy(y, -0.5), times(times(y, y), y)))],
  // g 2/sqrt(pi) exp(-a²)
  erf: [
    ({ g, a }) => times(g, times(literalBy(a, 2 / Math.sqrt(Math.PI)), make('exp', negate(times(a, a))))),
  ],
  // g cos(a)
  sin: [({ g, a }) => times(g, make('cos', a))],
  // -g sin(a)
  cos: [({ g, a }) => negate(times(g, make('sin', a)))],

  add: [pass, pass],
  sub: [pass, ({ g }) => negate(g)],
  mul: [({ g, b }) => times(g, b), ({ g, a }) => times(g, a)],
  // g / b and -(g / b) y
  div: [({ g, b }) => over(g, b), ({ g, b, y }) => negate(times(over(g, b), y))],
  minimum: [({ g, a, b }) => larger(g, b, a), ({ g, a, b }) => larger(g, a, b)],
  maximum: [({ g, a, b }) => larger(g, a, b), ({ g, a, b }) => larger(g, b, a)],
  pow: [powByBase, powByExponent],
  // a - b floor(a / b), between its steps
  mod: [pass, ({ g, a, b }) => negate(times(g, make('floor', make('div', a, b))))],
  floorDiv: [],

  lt: [],
  le: [],
  gt: [],
  ge: [],
  eq: [],
  ne: [],
  and: [],
  or: [],
  // Each branch as if it had been taken; derive() keeps track of where it was not.
  select: [null, pass, pass],

  // g b and g a
  dot: [({ g, b }) => times(g, b), ({ g, a }) => times(g, a)],
  sum: [pass],
  max: [sharedByTies],
  min: [sharedByTies],
  // g a / y, and 0 at the zero vector
  norm: [
    ({ g, y, a }) => times(make('select', make('eq', y, literalBy(y, 0)), literalBy(y, 0), over(g, y)), a),
  ],

  concat: [({ g, a }) => cut(g, 0, '0', dimOf(a)), ({ g, a, b }) => cut(g, 0, dimOf(a), dimOf(b))],
  slice: [({ g, y, a }) => build(graph(g), 'place', [g], { ...y.data, dim: dimOf(a, y.data.axis) })],
  place: [({ g, y, a }) => cut(g, y.data.axis, y.data.from, dimOf(a, y.data.axis))],
  fill: [({ g }) => total(g)],
  pick: [({ g, a, b }) => build(graph(g), 'spread', [g, b], { dim: dimOf(a) })],
  spread: [({ g, b }) => make('pick', g, b)],
  // g xᵀ and Wᵀ g
  matvec: [({ g, b: x }) => make('outer', g, x), ({ g, a: w }) => make('vecmat', g, w)],
  // W g and x gᵀ
  vecmat: [({ g, b: w }) => make('matvec', w, g), ({ g, a: x }) => make('outer', x, g)],
  // g b and gᵀ a
  outer: [({ g, b }) => make('matvec', g, b), ({ g, a }) => make('vecmat', a, g)],

  // Entries of one table add up.
  at: [({ g, y }) => make('entry', g, ...y.args.slice(1))],
  entry: [({ g, y }) => make('at', g, ...y.args.slice(1))],
};
