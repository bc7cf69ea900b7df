// Which dtype a result has, and what a stored number is to an expression.

import { bool, type Element, type Expr, index, scalar, type Type } from '@heed/expr';
import { type DType, dtypes } from './contract/dtype.ts';

export type FloatDType = 'float64' | 'float32' | 'float16' | 'bfloat16';

/** Whether it is computed with, and has gradients: int8 is only how quantised floats are stored. */
export const isFloat = (dtype: DType): dtype is FloatDType =>
  dtypes[dtype].element === 'float' && dtype !== 'int8';

const elementTypes = { float: scalar, int: index, bool } as const satisfies Record<Element, Type>;

/** The type of one element of a tensor in an expression. */
export const typeOf = (dtype: DType): Type => elementTypes[dtypes[dtype].element];

/** The dtype of a result of this type, if no operand says otherwise. */
export const defaultDType = (type: Pick<Expr['type'], 'element'>): 'float32' | 'int32' | 'bool' =>
  (({ float: 'float32', int: 'int32', bool: 'bool' }) as const)[type.element];

/**
 * The dtype that all promote to, by PyTorch's rules: bool, then int32, then floats; the wider float wins, and float16
 * with bfloat16 gives float32. int8 holds quantised numbers and has no say: alone, or with ints, it gives float32.
 */
export function promote(...all: readonly DType[]): DType {
  const floats = new Set(all.filter(isFloat));
  if (floats.size === 0 && !all.includes('int8')) return all.includes('int32') ? 'int32' : 'bool';
  if (floats.has('float64')) return 'float64';
  if (floats.size === 1) return [...floats][0] as DType;
  return 'float32';
}

/** As `promote`, for results that are floats whatever the operands: ints and bools give float32. */
export function promoteFloat(...all: readonly DType[]): DType {
  const dtype = promote(...all);
  return isFloat(dtype) ? dtype : 'float32';
}

/** `promote` for the type checker, where it can tell. */
export type Promoted<A extends DType, B extends DType> = [A, B] extends [B, A] ? A : DType;
/** `promoteFloat` of one dtype for the type checker. */
export type Floated<D extends DType> = D extends FloatDType ? D : 'float32';
