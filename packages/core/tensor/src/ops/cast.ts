// Conversion between dtypes.

import type { Bool, Expr, Index, Scalar } from '@heed/expr';
import * as expr from '@heed/expr';
import { type DType, dtypes } from '../contract/dtype.ts';
import { record } from '../tape/record.ts';
import type { Tensor } from '../tensor.ts';
import { elementwise, type Formula } from './elementwise.ts';

type One = readonly [Tensor];

const number = (x: Expr): Expr<Scalar> =>
  (x.type.element === 'float' ? x : expr.toFloat(x as Expr<Index>)) as Expr<Scalar>;
/** Towards zero, as NumPy and PyTorch do. */
const truncated = (x: Expr<Scalar>): Expr<Scalar> =>
  expr.select(expr.lt(x, 0), expr.neg(expr.floor(expr.neg(x))), expr.floor(x));

const toFloats: Formula<One> = (x) => number(x);
const toInts: Formula<One> = (x: Expr) =>
  x.type.element === 'int' ? (x as Expr<Index>) : expr.toInt(truncated(number(x)));
const toBools: Formula<One> = (x: Expr) =>
  x.type.element === 'bool' ? (x as Expr<Bool>) : expr.ne(x as Expr<Scalar>, 0);

const formulas = { float: toFloats, int: toInts, bool: toBools } as const satisfies Record<
  expr.Element,
  Formula<One>
>;

/**
 * The same numbers in another dtype. Floats become ints by cutting off the fraction, int8 by rounding to the nearest
 * number it holds (ties to even), and bools by asking whether they differ from zero. Gradients pass between floats.
 */
export function cast<D extends DType>(tensor: Tensor, dtype: D): Tensor<D> {
  const { device } = tensor.use('cast');
  if ((tensor.dtype as DType) === dtype) {
    const same = tensor.detach() as unknown as Tensor<D>;
    record(device, {
      name: 'cast',
      inputs: [tensor],
      outputs: [same],
      vjp: ([gradient]) => [gradient ?? null],
    });
    return same;
  }
  const formula = formulas[dtypes[dtype].element];
  return elementwise('cast', formula, [tensor], { dtype }) as Tensor<D>;
}
