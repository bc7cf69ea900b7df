// Softmax and its relatives, along any axis. Large scores are safe: the row's maximum is taken off first.

import { abs, add, div, type Expr, exp, gt, log, lt, type Scalar, select, sub } from '@heed/expr';
import type { DType } from '../contract/dtype.ts';
import { scope } from '../scope.ts';
import { axesOf, axisOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import type { ReduceOptions } from './reductions.ts';
import { alongAxis, type RowFormula, type RowReduction, rowwise } from './rowwise.ts';

const first = (all: readonly Expr<Scalar>[]): Expr<Scalar> => all[0] as Expr<Scalar>;
const row = (rows: Readonly<Record<string, Expr<Scalar>>>, name: string): Expr<Scalar> =>
  rows[name] as Expr<Scalar>;

/** The row's maximum; 0 where that is infinite, since infinity - infinity is NaN. */
const shift = (rows: Readonly<Record<string, Expr<Scalar>>>): Expr<Scalar> => {
  const maximum = row(rows, 'maximum');
  return select(lt(abs(maximum), Number.POSITIVE_INFINITY), maximum, 0);
};

const maximum: RowReduction = { name: 'maximum', by: 'max', of: first, neutral: true };
const total: RowReduction = {
  name: 'total',
  by: 'sum',
  of: (all, { rows }) => exp(sub(first(all), shift(rows))),
};

const softmaxFormula: RowFormula = {
  reductions: [maximum, total],
  result: (all, { rows }) => {
    const sum = row(rows, 'total');
    return select(gt(sum, 0), div(exp(sub(first(all), shift(rows))), sum), 0);
  },
  per: 'element',
};

const logSoftmaxFormula: RowFormula = {
  reductions: [maximum, total],
  result: (all, { rows }) => sub(sub(first(all), shift(rows)), log(row(rows, 'total'))),
  per: 'element',
};

const logsumexpFormula: RowFormula = {
  reductions: [maximum, total],
  result: (_, { rows }) => add(log(row(rows, 'total')), shift(rows)),
  per: 'row',
};

export interface AxisOptions {
  /** The last if left out. */
  readonly axis?: number;
}

/** exp(x) / sum of exp(x) along an axis. A row of -Infinity alone gives zeros. */
export const softmax = <D extends DType>(tensor: Tensor<D>, { axis = -1 }: AxisOptions = {}): Tensor<D> =>
  alongAxis(tensor, axisOf('softmax', axis, tensor.use('softmax').rank), (rows) =>
    rowwise('softmax', softmaxFormula, [rows]),
  ) as Tensor<D>;

/** log(softmax(x)) along an axis, without computing the softmax. */
export const logSoftmax = <D extends DType>(tensor: Tensor<D>, { axis = -1 }: AxisOptions = {}): Tensor<D> =>
  alongAxis(tensor, axisOf('logSoftmax', axis, tensor.use('logSoftmax').rank), (rows) =>
    rowwise('logSoftmax', logSoftmaxFormula, [rows]),
  ) as Tensor<D>;

/** log of the sum of exp(x) over axes; -Infinity where there are no elements. */
export const logsumexp = <D extends DType>(
  tensor: Tensor<D>,
  { axis, keepDims = false }: ReduceOptions = {},
): Tensor<D> =>
  scope(tensor.device, () => {
    const axes = axesOf('logsumexp', axis, tensor.use('logsumexp').rank);
    const kept = [...tensor.shape.keys()].filter((one) => !axes.includes(one));
    const sizes = kept.map((one) => tensor.shape[one] as number);
    const length = axes.reduce((all, one) => all * (tensor.shape[one] as number), 1);
    const rows = tensor.permute([...kept, ...axes]).reshape([...sizes, length]);
    const result = rowwise('logsumexp', logsumexpFormula, [rows]);
    return keepDims
      ? result.reshape(tensor.shape.map((size, one) => (axes.includes(one) ? 1 : size)))
      : result;
  }) as Tensor<D>;
