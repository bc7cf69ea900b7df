// Arithmetic and the functions of calculus, element by element, by their names in NumPy and PyTorch.

import type { Bool, Expr, Index, Scalar } from '@heed/expr';
import * as expr from '@heed/expr';
import type { DType } from '../contract/dtype.ts';
import { DTypeError } from '../errors.ts';
import type { FloatDType, Floated, Promoted } from '../promote.ts';
import type { Tensor } from '../tensor.ts';
import { elementwise, type Formula } from './elementwise.ts';

type One = readonly [Tensor];
type Two = readonly [Tensor, Tensor];

/** The dtype of a tensor combined with a plain number: a float stays what it is. */
type WithNumber<D extends DType> = D extends FloatDType ? D : DType;

/** Two operands, broadcast; one of them may be a plain number, which never makes a new kernel. */
export interface BinaryOp {
  <A extends DType, B extends DType>(a: Tensor<A>, b: Tensor<B>): Tensor<Promoted<A, B>>;
  <D extends DType>(a: Tensor<D>, b: number): Tensor<WithNumber<D>>;
  <D extends DType>(a: number, b: Tensor<D>): Tensor<WithNumber<D>>;
}

/** Floats come out, ints and bools go in as float32. */
export type FloatOp = <D extends DType>(tensor: Tensor<D>) => Tensor<Floated<D>>;
/** As `BinaryOp`, ints and bools taken as float32. */
export interface FloatBinaryOp {
  <A extends DType, B extends DType>(a: Tensor<A>, b: Tensor<B>): Tensor<Promoted<Floated<A>, Floated<B>>>;
  <D extends DType>(a: Tensor<D>, b: number): Tensor<Floated<D>>;
  <D extends DType>(a: number, b: Tensor<D>): Tensor<Floated<D>>;
}
/** The dtype stays; bools count as ints. */
export type NumberOp = <D extends DType>(tensor: Tensor<D>) => Tensor<D extends 'bool' ? 'int32' : D>;

type Symbols2 = (a: Expr<Scalar>, b: Expr<Scalar>) => Expr<Scalar>;

/** A condition counts as 0 or 1 where a number is wanted. */
export const asNumber = (of: Expr): Expr<Scalar> =>
  (of.type.element === 'bool' ? expr.select(of as Expr<Bool>, one(of), 0) : of) as Expr<Scalar>;
const one = (beside: Expr): Expr<Index> => expr.asExpr(expr.constant(expr.graph(beside), 1, 'int'));

const asFloat = (of: Expr): Expr<Scalar> =>
  (of.type.element === 'float' ? of : expr.toFloat(of as Expr<Index>)) as Expr<Scalar>;

function unary(
  name: string,
  formula: (x: Expr<Scalar>) => Expr<Scalar>,
  operand: (of: Expr) => Expr<Scalar>,
) {
  const traced: Formula<One> = (x) => formula(operand(x));
  return (tensor: Tensor) => elementwise(name, traced, [tensor]);
}
const floatOp = (name: string, formula: (x: Expr<Scalar>) => Expr<Scalar>) =>
  unary(name, formula, asFloat) as FloatOp;
const numberOp = (name: string, formula: (x: Expr<Scalar>) => Expr<Scalar>) =>
  unary(name, formula, asNumber) as unknown as NumberOp;

/** The four ways two operands meet: which of them are tensors, and whether a number is to stay an int. */
export function binary(name: string, formula: Symbols2, operand: (of: Expr) => Expr<Scalar> = asNumber) {
  const both: Formula<Two> = (a, b) => formula(operand(a), operand(b));
  const right: Formula<One, 'b'> = (a, { uniforms: { b } }) => formula(operand(a), operand(b));
  const left: Formula<One, 'a'> = (b, { uniforms: { a } }) => formula(operand(a), operand(b));
  const rightInt: Formula<One, never, 'b'> = (a, { integers: { b } }) => formula(operand(a), operand(b));
  const leftInt: Formula<One, never, 'a'> = (b, { integers: { a } }) => formula(operand(a), operand(b));
  const named = { names: ['a', 'b'] };
  return (a: Tensor | number, b: Tensor | number): Tensor => {
    if (typeof a !== 'number' && typeof b !== 'number') return elementwise(name, both, [a, b], named);
    if (typeof a !== 'number' && typeof b === 'number') {
      return staysInt(a, b)
        ? elementwise(name, rightInt, [a], { integers: { b } })
        : elementwise(name, right, [a], { uniforms: { b } });
    }
    if (typeof a === 'number' && typeof b !== 'number') {
      return staysInt(b, a)
        ? elementwise(name, leftInt, [b], { integers: { a } })
        : elementwise(name, left, [b], { uniforms: { a } });
    }
    throw new DTypeError(
      `${name}: got two plain numbers, ${a} and ${b}. At least one operand must be a tensor: tensor(device, ${a}).`,
    );
  };
}

const staysInt = (tensor: Tensor, number: number): boolean =>
  (tensor.dtype === 'int32' || tensor.dtype === 'bool') && number === (number | 0);

const arithmetic = (name: string, formula: unknown) =>
  binary(name, formula as Symbols2) as unknown as BinaryOp;
const floating = (name: string, formula: unknown) =>
  binary(name, formula as Symbols2, asFloat) as unknown as FloatBinaryOp;

/** a + b. Operands of every binary operation are broadcast as in NumPy and promoted as in PyTorch. */
export const add: BinaryOp = /* @__PURE__ */ arithmetic('add', expr.add);
/** a - b */
export const sub: BinaryOp = /* @__PURE__ */ arithmetic('sub', expr.sub);
/** a * b */
export const mul: BinaryOp = /* @__PURE__ */ arithmetic('mul', expr.mul);
/** a / b, as floats. */
export const div: FloatBinaryOp = /* @__PURE__ */ floating('div', expr.div);
/** floor(a / b). */
export const floorDiv: BinaryOp = /* @__PURE__ */ arithmetic('floorDiv', expr.floorDiv);
/** a - b * floor(a / b): takes the sign of b, as in Python. */
export const mod: BinaryOp = /* @__PURE__ */ arithmetic('mod', expr.mod);
/** a to the power of b, as floats. The gradient by b of a power of a number that is not positive is 0. */
export const pow: FloatBinaryOp = /* @__PURE__ */ floating('pow', expr.pow);
/** The larger of a and b. Ties share the gradient by halves. */
export const maximum: BinaryOp = /* @__PURE__ */ arithmetic('maximum', expr.maximum);
/** The smaller of a and b. Ties share the gradient by halves. */
export const minimum: BinaryOp = /* @__PURE__ */ arithmetic('minimum', expr.minimum);

/** -a */
export const neg: NumberOp = /* @__PURE__ */ numberOp('neg', expr.neg);
/** |a|, with gradient 0 at 0. */
export const abs: NumberOp = /* @__PURE__ */ numberOp('abs', expr.abs);
/** -1, 0 or 1. */
export const sign: NumberOp = /* @__PURE__ */ numberOp('sign', expr.sign);
/** a² */
export const square: NumberOp = /* @__PURE__ */ numberOp('square', expr.square);
/** max(a, 0) */
export const relu: NumberOp = /* @__PURE__ */ numberOp('relu', expr.relu);

export const exp: FloatOp = /* @__PURE__ */ floatOp('exp', expr.exp);
/** The natural logarithm. */
export const log: FloatOp = /* @__PURE__ */ floatOp('log', expr.log);
/** log(1 + a), exact near zero. */
export const log1p: FloatOp = /* @__PURE__ */ floatOp('log1p', expr.log1p);
export const tanh: FloatOp = /* @__PURE__ */ floatOp('tanh', expr.tanh);
/** 1 / (1 + exp(-a)) */
export const sigmoid: FloatOp = /* @__PURE__ */ floatOp('sigmoid', expr.sigmoid);
export const sqrt: FloatOp = /* @__PURE__ */ floatOp('sqrt', expr.sqrt);
/** 1 / sqrt(a) */
export const rsqrt: FloatOp = /* @__PURE__ */ floatOp('rsqrt', expr.rsqrt);
/** The largest whole number that is not above a; gradient 0. */
export const floor: FloatOp = /* @__PURE__ */ floatOp('floor', expr.floor);
/** The Gauss error function. */
export const erf: FloatOp = /* @__PURE__ */ floatOp('erf', expr.erf);
/** a Φ(a), the Gaussian error linear unit, by erf (arXiv 1606.08415). */
export const gelu: FloatOp = /* @__PURE__ */ floatOp('gelu', expr.gelu);
export const sin: FloatOp = /* @__PURE__ */ floatOp('sin', expr.sin);
export const cos: FloatOp = /* @__PURE__ */ floatOp('cos', expr.cos);

const clampFloat: Formula<One, 'low' | 'high'> = (x, { uniforms: { low, high } }) =>
  expr.minimum(expr.maximum(x, low), high);

/** a, cut off below `low` and above `high`. */
export const clamp = <D extends FloatDType>(tensor: Tensor<D>, low: number, high: number): Tensor<D> =>
  elementwise('clamp', clampFloat, [tensor], { uniforms: { low, high } }) as Tensor<D>;
