// Comparisons, logic and choice. Conditions are bool tensors; true and false, never a float.

import type { Bool, Expr, Index, Scalar } from '@heed/expr';
import * as expr from '@heed/expr';
import type { DType } from '../contract/dtype.ts';
import { DTypeError } from '../errors.ts';
import type { Promoted } from '../promote.ts';
import type { Tensor } from '../tensor.ts';
import { asNumber, binary } from './arithmetic.ts';
import { elementwise, type Formula } from './elementwise.ts';

/** A comparison of broadcast operands, one of which may be a plain number. */
export interface CompareOp {
  (a: Tensor, b: Tensor | number): Tensor<'bool'>;
  (a: number, b: Tensor): Tensor<'bool'>;
}

const comparison = (name: string, formula: (a: Expr<Scalar>, b: Expr<Scalar>) => Expr<Bool>): CompareOp =>
  binary(name, formula as never) as CompareOp;

/** a < b */
export const lt: CompareOp = /* @__PURE__ */ comparison('lt', expr.lt);
/** a <= b */
export const le: CompareOp = /* @__PURE__ */ comparison('le', expr.le);
/** a > b */
export const gt: CompareOp = /* @__PURE__ */ comparison('gt', expr.gt);
/** a >= b */
export const ge: CompareOp = /* @__PURE__ */ comparison('ge', expr.ge);
/** a = b */
export const equal: CompareOp = /* @__PURE__ */ comparison('equal', expr.eq);
/** a ≠ b */
export const notEqual: CompareOp = /* @__PURE__ */ comparison('notEqual', expr.ne);

type Conditions = readonly [Tensor<'bool'>, Tensor<'bool'>];
const both: Formula<Conditions> = (a, b) => expr.and(a, b);
const either: Formula<Conditions> = (a, b) => expr.or(a, b);
const opposite: Formula<readonly [Tensor<'bool'>]> = (a) => expr.not(a);
const named = { names: ['a', 'b'] };

function conditions(name: string, ...all: readonly Tensor[]): void {
  for (const one of all) {
    if (one.dtype !== 'bool')
      throw new DTypeError(
        `${name}: expected bool, got ${one}. Write a comparison, such as notEqual(tensor, 0).`,
      );
  }
}

/** True where both are. */
export function logicalAnd(a: Tensor<'bool'>, b: Tensor<'bool'>): Tensor<'bool'> {
  conditions('logicalAnd', a, b);
  return elementwise('logicalAnd', both, [a, b], named) as Tensor<'bool'>;
}

/** True where one or both are. */
export function logicalOr(a: Tensor<'bool'>, b: Tensor<'bool'>): Tensor<'bool'> {
  conditions('logicalOr', a, b);
  return elementwise('logicalOr', either, [a, b], named) as Tensor<'bool'>;
}

/** True where the operand is false. */
export function logicalNot(a: Tensor<'bool'>): Tensor<'bool'> {
  conditions('logicalNot', a);
  return elementwise('logicalNot', opposite, [a]) as Tensor<'bool'>;
}

type Chosen = readonly [Tensor<'bool'>, Tensor, Tensor];
type ChosenOne = readonly [Tensor<'bool'>, Tensor];

/** Both branches as one kind of number: conditions stay conditions only among themselves. */
const choose = (condition: Expr<Bool>, a: Expr, b: Expr): Expr<Scalar> =>
  a.type.element === 'bool' && b.type.element === 'bool'
    ? (expr.select(condition, a as Expr<Bool>, b as Expr<Bool>) as unknown as Expr<Scalar>)
    : expr.select(condition, asNumber(a), asNumber(b));
const chooseTensors: Formula<Chosen> = (condition, a, b) => choose(condition, a, b);
const thenNumber: Formula<ChosenOne, 'a'> = (condition, b, { uniforms: { a } }) => choose(condition, a, b);
const elseNumber: Formula<ChosenOne, 'b'> = (condition, a, { uniforms: { b } }) => choose(condition, a, b);
const thenInt: Formula<ChosenOne, never, 'a'> = (condition, b, { integers: { a } }) =>
  choose(condition, a as Expr<Index>, b);
const elseInt: Formula<ChosenOne, never, 'b'> = (condition, a, { integers: { b } }) =>
  choose(condition, a, b as Expr<Index>);

/**
 * `a` where the condition is true, `b` elsewhere. What is not chosen reaches no result and gets the gradient 0. An
 * operation that made it multiplies that 0 by its own derivative, which is NaN where that is infinite: to guard a
 * logarithm, say, write both in one `elementwise` formula with `select`, which skips what is not chosen.
 */
export function where<A extends DType, B extends DType>(
  condition: Tensor<'bool'>,
  a: Tensor<A>,
  b: Tensor<B>,
): Tensor<Promoted<A, B>>;
export function where<D extends DType>(condition: Tensor<'bool'>, a: Tensor<D>, b: number): Tensor<D>;
export function where<D extends DType>(condition: Tensor<'bool'>, a: number, b: Tensor<D>): Tensor<D>;
export function where(condition: Tensor<'bool'>, a: Tensor | number, b: Tensor | number): Tensor {
  conditions('where', condition);
  if (typeof a !== 'number' && typeof b !== 'number') {
    return elementwise('where', chooseTensors, [condition, a, b], { names: ['condition', 'a', 'b'] });
  }
  const options = { names: ['condition', typeof a === 'number' ? 'b' : 'a'] };
  if (typeof a !== 'number') {
    const other = b as number;
    return isInt(a, other)
      ? elementwise('where', elseInt, [condition, a], { integers: { b: other }, ...options })
      : elementwise('where', elseNumber, [condition, a], { uniforms: { b: other }, ...options });
  }
  if (typeof b === 'number')
    throw new DTypeError(
      `where: got two plain numbers, ${a} and ${b}. At least one of them must be a tensor: full(device, [], ${a}).`,
    );
  return isInt(b, a)
    ? elementwise('where', thenInt, [condition, b], { integers: { a }, ...options })
    : elementwise('where', thenNumber, [condition, b], { uniforms: { a }, ...options });
}

const isInt = (tensor: Tensor, number: number): boolean =>
  tensor.dtype === 'int32' && number === (number | 0);
