// The operations, grouped by form. Every pass is a table over `Op`, so a name added here lists every place to teach.

/** Float or int in, the same out, element by element. */
export const arithmeticUnary = ['neg', 'abs', 'sign'] as const;
/** Float in, float out, element by element. */
export const floatUnary = [
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
] as const;
/** Two floats or two ints in, the same out; a scalar meets a vector by being repeated. */
export const arithmeticBinary = [
  'add',
  'sub',
  'mul',
  'div',
  'minimum',
  'maximum',
  'pow',
  'mod',
  'floorDiv',
] as const;
/** Two floats or two ints in, bool out. */
export const comparisons = ['lt', 'le', 'gt', 'ge', 'eq', 'ne'] as const;
/** Two bools in, bool out. */
export const logicalBinary = ['and', 'or'] as const;

export type ArithmeticUnary = (typeof arithmeticUnary)[number];
export type FloatUnary = (typeof floatUnary)[number];
export type UnaryOp = ArithmeticUnary | FloatUnary | 'not' | 'toFloat' | 'toInt';
export type ArithmeticBinary = (typeof arithmeticBinary)[number];
export type Comparison = (typeof comparisons)[number];
export type LogicalBinary = (typeof logicalBinary)[number];
export type BinaryOp = ArithmeticBinary | Comparison | LogicalBinary;
export type ReductionOp = 'sum' | 'max' | 'min' | 'norm';

/** What a node of each op carries besides its arguments. */
export interface Data {
  /** A literal. Its type's element says whether it is a float, an int or a bool (0 or 1). */
  const: { readonly value: number };
  /**
   * A named value that comes from outside. `along` names the axes it varies along; what they mean is the business of
   * whoever traced it. A vector input along `['right']` is one row for each position on the right.
   */
  input: { readonly name: string; readonly along: readonly string[] };
  /** The size of a dim, as a float. */
  size: { readonly dim: string };
  /** Elements `from` .. `from + dim` along `axis` (0: elements or rows, 1: columns). `from` and `dim` are dims. */
  slice: { readonly axis: number; readonly from: string; readonly dim: string };
  /** The reverse of slice: zeros of size `dim` along `axis`, with the argument placed at `from`. */
  place: { readonly axis: number; readonly from: string; readonly dim: string };
  /** A scalar repeated `dim` times. */
  fill: { readonly dim: string };
  /** A vector of size `dim`, zero but for the first argument at the index given by the second. */
  spread: { readonly dim: string };
}

/** How many arguments an op takes; `indices` stands for a value followed by any number of indices. */
export const arity = {
  const: 0,
  input: 0,
  size: 0,
  neg: 1,
  abs: 1,
  sign: 1,
  exp: 1,
  log: 1,
  log1p: 1,
  tanh: 1,
  sigmoid: 1,
  sqrt: 1,
  rsqrt: 1,
  floor: 1,
  erf: 1,
  sin: 1,
  cos: 1,
  not: 1,
  /** int or bool to float. */
  toFloat: 1,
  /** float to int, towards minus infinity. */
  toInt: 1,
  add: 2,
  sub: 2,
  mul: 2,
  div: 2,
  minimum: 2,
  maximum: 2,
  pow: 2,
  /** a - b * floor(a / b): takes the sign of b, as in Python. */
  mod: 2,
  /** floor(a / b). */
  floorDiv: 2,
  lt: 2,
  le: 2,
  gt: 2,
  ge: 2,
  eq: 2,
  ne: 2,
  and: 2,
  or: 2,
  /** select(condition, then, otherwise); the branch not taken cannot spoil the result, forward or backward. */
  select: 3,
  dot: 2,
  sum: 1,
  max: 1,
  min: 1,
  /** Euclidean length; its derivative at zero is zero. */
  norm: 1,
  concat: 2,
  slice: 1,
  place: 1,
  fill: 1,
  /** pick(vector, index): one element; zero outside the vector. */
  pick: 2,
  spread: 2,
  /** matvec(W, x) = W x; vecmat(x, W) = Wᵀ x; outer(a, b) = a bᵀ. */
  matvec: 2,
  vecmat: 2,
  outer: 2,
  /** at(table, ...indices): one entry; zero outside the table. */
  at: 'indices',
  /** entry(value, ...indices): a table that is zero but for the value at the indices (the derivative of `at`). */
  entry: 'indices',
  /** random(seed, stream, counter, counter2): a uniform float in [0, 1), a pure function of its four ints. */
  random: 4,
} as const satisfies Record<string, number | 'indices'>;

export type Op = keyof typeof arity;
export const ops = Object.keys(arity) as Op[];
