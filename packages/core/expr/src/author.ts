// What an author writes formulas with. Functions, not methods: a line reads as the formula reads.

import { ExpressionError } from './error.ts';
import { build, constant } from './infer.ts';
import { asExpr, asNode, type Expr, type Graph, graph } from './node.ts';
import type { ArithmeticBinary, ArithmeticUnary, Comparison, Data, FloatUnary, Op } from './op.ts';
import { alike, nodeOf, type Operand } from './promote.ts';
import {
  type Bool,
  type Dim,
  describeType,
  type Index,
  type Mat,
  type Scalar,
  type Type,
  type Vec,
} from './type.ts';

/** One number: a literal, a scalar, or an index (which becomes a float where it meets one). */
export type Num = number | Expr<Scalar> | Expr<Index>;
type Int = number | Expr<Index>;

/** Element-wise on one operand. */
export interface Unary {
  (a: Expr<Scalar> | Expr<Index>): Expr<Scalar>;
  <D extends Dim>(a: Expr<Vec<D>>): Expr<Vec<D>>;
}

/** Element-wise on one operand, ints kept as ints. */
export interface IntUnary {
  (a: Expr<Index>): Expr<Index>;
  (a: Expr<Scalar>): Expr<Scalar>;
  <D extends Dim>(a: Expr<Vec<D>>): Expr<Vec<D>>;
}

/** Element-wise on two operands. A scalar meets a vector by being repeated; vectors of unlike dims do not meet. */
export interface Binary {
  (a: Expr<Index>, b: Int): Expr<Index>;
  (a: number, b: Expr<Index>): Expr<Index>;
  (a: Num, b: Num): Expr<Scalar>;
  <D extends Dim>(a: Expr<Vec<D>>, b: Expr<Vec<NoInfer<D>>> | Num): Expr<Vec<D>>;
  <D extends Dim>(a: Num, b: Expr<Vec<D>>): Expr<Vec<D>>;
}

/** As `Binary`, on floats only: ints become floats. */
export interface FloatBinary {
  (a: Num, b: Num): Expr<Scalar>;
  <D extends Dim>(a: Expr<Vec<D>>, b: Expr<Vec<NoInfer<D>>> | Num): Expr<Vec<D>>;
  <D extends Dim>(a: Num, b: Expr<Vec<D>>): Expr<Vec<D>>;
}

/** Two numbers in, a condition out. */
export type Compare = (a: Num, b: Num) => Expr<Bool>;

const homeOf = (op: string, operands: readonly Operand[]): Graph => {
  for (const operand of operands) if (typeof operand === 'object') return graph(operand);
  throw new ExpressionError(
    `${op}: got ${operands.map(String).join(', ')}. At least one operand must be an expression; ` +
      'arithmetic on plain numbers is ordinary JavaScript.',
  );
};

const numeric =
  (op: Op, floats: boolean) =>
  (...given: Operand[]): Expr<never> => {
    const home = homeOf(op, given);
    return asExpr<never>(build(home, op, alike(home, given, floats), null));
  };

/** Arguments taken as they are; a literal is an index. */
const plain = (op: Op, given: readonly Operand[], data: Data[keyof Data] | null = null): Expr<never> => {
  const home = homeOf(op, given);
  const nodes = given.map((one) =>
    typeof one === 'object' ? nodeOf(one) : constant(home, Number(one), 'int'),
  );
  return asExpr<never>(build(home, op, nodes, data));
};

const unary = (op: FloatUnary) => numeric(op, true) as unknown as Unary;
const intUnary = (op: ArithmeticUnary) => numeric(op, false) as unknown as IntUnary;
const binary = (op: ArithmeticBinary) => numeric(op, false) as unknown as Binary;
const floatBinary = (op: ArithmeticBinary) => numeric(op, true) as unknown as FloatBinary;
const compare = (op: Comparison) => numeric(op, false) as unknown as Compare;

export const neg = intUnary('neg');
export const abs = intUnary('abs');
/** -1, 0 or 1. */
export const sign = intUnary('sign');
export const exp = unary('exp');
export const log = unary('log');
/** log(1 + a), exact near zero. */
export const log1p = unary('log1p');
export const tanh = unary('tanh');
/** 1 / (1 + exp(-a)). */
export const sigmoid = unary('sigmoid');
export const sqrt = unary('sqrt');
/** 1 / sqrt(a). */
export const rsqrt = unary('rsqrt');
export const floor = unary('floor');
/** The Gauss error function. */
export const erf = unary('erf');
export const sin = unary('sin');
export const cos = unary('cos');

export const add = binary('add');
export const sub = binary('sub');
export const mul = binary('mul');
export const minimum = binary('minimum');
export const maximum = binary('maximum');
/** a - b * floor(a / b): takes the sign of b, as in Python. */
export const mod = binary('mod');
/** floor(a / b). */
export const floorDiv = binary('floorDiv');
export const div = floatBinary('div');
export const pow = floatBinary('pow');

export const lt = compare('lt');
export const le = compare('le');
export const gt = compare('gt');
export const ge = compare('ge');
export const eq = compare('eq');
export const ne = compare('ne');

const fold = (op: 'and' | 'or', given: readonly Expr<Bool>[]): Expr<Bool> =>
  given.slice(1).reduce<Expr<Bool>>((all, one) => plain(op, [all, one]), given[0] as Expr<Bool>);
/** True where all of the conditions are. */
export const and = (...conditions: readonly [Expr<Bool>, ...Expr<Bool>[]]): Expr<Bool> =>
  fold('and', conditions);
/** True where any of the conditions is. */
export const or = (...conditions: readonly [Expr<Bool>, ...Expr<Bool>[]]): Expr<Bool> =>
  fold('or', conditions);
export const not = (condition: Expr<Bool>): Expr<Bool> => plain('not', [condition]);

/** A condition and two branches that meet as in `Binary`. */
export interface Select {
  (condition: Expr<Bool>, then: Expr<Bool>, otherwise: Expr<Bool> | boolean): Expr<Bool>;
  (condition: Expr<Bool>, then: Expr<Index>, otherwise: Int): Expr<Index>;
  (condition: Expr<Bool>, then: number, otherwise: Expr<Index>): Expr<Index>;
  (condition: Expr<Bool>, then: Num, otherwise: Num): Expr<Scalar>;
  <D extends Dim>(
    condition: Expr<Bool>,
    then: Expr<Vec<D>>,
    otherwise: Expr<Vec<NoInfer<D>>> | Num,
  ): Expr<Vec<D>>;
  <D extends Dim>(condition: Expr<Bool>, then: Num, otherwise: Expr<Vec<D>>): Expr<Vec<D>>;
}

/** `condition ? then : otherwise`. The branch not taken cannot spoil the result, forward or backward. */
export const select = ((condition: Expr<Bool>, then: Operand, otherwise: Operand) => {
  const home = graph(condition);
  return asExpr<never>(
    build(home, 'select', [asNode(condition), ...alike(home, [then, otherwise], false)], null),
  );
}) as Select;

/** An index as a float. */
export const toFloat = (a: Expr<Index>): Expr<Scalar> => plain('toFloat', [a]);
/** A float as an index, rounded towards minus infinity. */
export const toInt = (a: Expr<Scalar>): Expr<Index> => plain('toInt', [a]);

/** The sum of products of two vectors of the same dim. */
export const dot = <D extends Dim>(a: Expr<Vec<D>>, b: Expr<Vec<NoInfer<D>>>): Expr<Scalar> =>
  plain('dot', [a, b]);
/** The sum of a vector's elements; `max` and `min` likewise (for two operands: `maximum`, `minimum`). */
export const sum = (v: Expr<Vec>): Expr<Scalar> => plain('sum', [v]);
export const max = (v: Expr<Vec>): Expr<Scalar> => plain('max', [v]);
export const min = (v: Expr<Vec>): Expr<Scalar> => plain('min', [v]);
/** The Euclidean length of a vector. Its derivative at the zero vector is zero. */
export const norm = (v: Expr<Vec>): Expr<Scalar> => plain('norm', [v]);

/** [a; b], a vector of dim 'a+b'. */
export const concat = <A extends Dim, B extends Dim>(
  a: Expr<Vec<A>>,
  b: Expr<Vec<B>>,
): Expr<Vec<`${A}+${B}`>> => plain('concat', [a, b]) as Expr<never>;
/** The `dim` elements of a vector that begin at `from` (dims: names, numerals or sums). */
export const slice = <const D extends Dim>(v: Expr<Vec>, from: Dim, dim: D): Expr<Vec<D>> =>
  plain('slice', [v], { axis: 0, from, dim }) as Expr<never>;
/** A scalar repeated `dim` times. */
export const fill = <const D extends Dim>(a: Expr<Scalar>, dim: D): Expr<Vec<D>> =>
  plain('fill', [a], { dim }) as Expr<never>;
/** One element of a vector; zero where the index lies outside. */
export const pick = (v: Expr<Vec>, at: Expr<Index>): Expr<Scalar> => plain('pick', [v, at]);

/** W x: one number for each row of W. */
export const matvec = <R extends Dim, C extends Dim>(
  w: Expr<Mat<R, C>>,
  x: Expr<Vec<NoInfer<C>>>,
): Expr<Vec<R>> => plain('matvec', [w, x]) as Expr<never>;
/** Wᵀ x: one number for each column of W. */
export const vecmat = <R extends Dim, C extends Dim>(
  x: Expr<Vec<NoInfer<R>>>,
  w: Expr<Mat<R, C>>,
): Expr<Vec<C>> => plain('vecmat', [x, w]) as Expr<never>;

/** The entry of a table at the given indices; zero where an index lies outside the table. */
export const at = <T extends Type>(of: Expr<T>, ...indices: readonly Int[]): Expr<Entry<T>> =>
  plain('at', [of, ...indices]) as Expr<never>;
/** What a table holds. */
export type Entry<T extends Type> = Type<T['element'], T['dims'], 0>;

/**
 * A uniform float in [0, 1), a pure function of its four ints: Threefry-2x32 with 20 rounds (Salmon et al. 2011,
 * "Parallel random numbers: as easy as 1, 2, 3") keyed by seed and stream, the first word's upper 24 bits.
 */
export const random = (seed: Expr<Index>, stream: Int, counter: Int, counter2: Int): Expr<Scalar> =>
  plain('random', [seed, stream, counter, counter2]);

/** The size of a dim, as a float. `of` is any expression of the same formula. */
export const size = (of: Expr, dim: Dim): Expr<Scalar> => {
  if (dim === '')
    throw new ExpressionError(`size: expected the name of a dim, got '' (beside ${describeType(of.type)}).`);
  return asExpr(build(graph(of), 'size', [], { dim }));
};

/** x Φ(x), the Gaussian error linear unit. Hendrycks, Gimpel 2016 (arXiv 1606.08415). */
export const gelu = ((a: Expr<Scalar>) => mul(mul(a, 0.5), add(erf(mul(a, Math.SQRT1_2)), 1))) as Unary;
/** a². */
export const square = ((a: Expr<Scalar>) => mul(a, a)) as Unary;
/** max(a, 0). */
export const relu = ((a: Expr<Scalar>) => maximum(a, 0)) as Unary;
