// Reductions by their names in NumPy and PyTorch.

import type { DType } from '../contract/dtype.ts';
import { DTypeError, ShapeError } from '../errors.ts';
import { type Floated, isFloat } from '../promote.ts';
import { scope } from '../scope.ts';
import { axesOf, describeShape, type Shape, sizeOfShape } from '../shape.ts';
import { record } from '../tape/record.ts';
import type { Tensor } from '../tensor.ts';
import { div, mul, square, sub } from './arithmetic.ts';
import { cast } from './cast.ts';
import { equal, where } from './logic.ts';
import { reduceAxes } from './reduce.ts';

export interface ReduceOptions {
  /** The axes to reduce; all of them if left out. */
  readonly axis?: number | readonly number[];
  /** Keeps reduced axes, with size one, so that the result broadcasts against the operand. */
  readonly keepDims?: boolean;
}

/** The shape with reduced axes of size one. */
const keptShape = (shape: Shape, axes: readonly number[]): Shape =>
  shape.map((size, axis) => (axes.includes(axis) ? 1 : size));

/** A result whose axes are gone, with axes of size one in their place if so wished. */
const arranged = (result: Tensor, shape: Shape, axes: readonly number[], keepDims: boolean): Tensor =>
  keepDims ? result.view('keepDims', layoutKept(result, shape, axes)) : result;

function layoutKept(result: Tensor, shape: Shape, axes: readonly number[]) {
  let next = 0;
  const strides = shape.map((_, axis) => (axes.includes(axis) ? 0 : (result.strides[next++] as number)));
  return { shape: keptShape(shape, axes), strides, offset: result.offset };
}

function reduced(
  name: 'sum' | 'mean' | 'max' | 'min' | 'argmax' | 'argmin',
  tensor: Tensor,
  { axis, keepDims = false }: ReduceOptions,
) {
  const axes = axesOf(name, axis, tensor.use(name).rank);
  const raw = reduceAxes(name, name, tensor, axes);
  const out = arranged(raw, tensor.shape, axes, keepDims);
  if (out !== raw) raw.dispose();
  return { axes, out };
}

/** The sum of elements. Ints and bools are summed as float32, exactly up to 2^24. */
export function sum<D extends DType>(tensor: Tensor<D>, options: ReduceOptions = {}): Tensor<Floated<D>> {
  const { axes, out } = reduced('sum', tensor, options);
  const { shape } = tensor;
  record(tensor.device, {
    name: 'sum',
    inputs: [tensor],
    outputs: [out],
    vjp: ([gradient]) => [gradient ? spread(gradient, shape, axes) : null],
  });
  return out as Tensor<Floated<D>>;
}

/** The sum of elements divided by their number; NaN where there are none. */
export function mean<D extends DType>(tensor: Tensor<D>, options: ReduceOptions = {}): Tensor<Floated<D>> {
  const { axes, out } = reduced('mean', tensor, options);
  const { shape } = tensor;
  const count = sizeOfShape(axes.map((axis) => shape[axis] as number));
  record(tensor.device, {
    name: 'mean',
    inputs: [tensor],
    outputs: [out],
    vjp: ([gradient]) => [gradient ? spread(mul(gradient, 1 / count), shape, axes) : null],
  });
  return out as Tensor<Floated<D>>;
}

/** A gradient of a reduction's result, repeated over what was reduced. */
const spread = (gradient: Tensor, shape: Shape, axes: readonly number[]): Tensor =>
  gradient.reshape(keptShape(shape, axes)).expand(shape);

/**
 * The largest element; NaN if there is one, -Infinity if there are none. Its gradient is shared by equal elements.
 *
 * @throws DTypeError for ints and bools: reductions compute in floats, and an int above 2^24 would not come back as it was.
 */
export const max = <D extends DType>(tensor: Tensor<D>, options: ReduceOptions = {}): Tensor<D> =>
  extremum('max', tensor, options);

/** The smallest element; otherwise as `max`. */
export const min = <D extends DType>(tensor: Tensor<D>, options: ReduceOptions = {}): Tensor<D> =>
  extremum('min', tensor, options);

function extremum<D extends DType>(
  name: 'max' | 'min',
  tensor: Tensor<D>,
  options: ReduceOptions,
): Tensor<D> {
  floats(name, tensor);
  const { axes, out } = reduced(name, tensor, options);
  const { shape } = tensor;
  record(tensor.device, {
    name,
    inputs: [tensor],
    outputs: [out],
    saved: [tensor, out],
    vjp: ([gradient], [x, extreme]) => {
      if (!gradient || !x || !extreme) return [null];
      const hits = equal(x, extreme.reshape(keptShape(shape, axes)));
      const count = cast(sum(hits, { axis: axes, keepDims: true }), gradient.dtype);
      return [where(hits, div(gradient.reshape(keptShape(shape, axes)), count), 0)];
    },
  });
  return out as Tensor<D>;
}

/** The position of the first largest element along `axis`, as int32; of all elements, row-major, if it is left out. */
export const argmax = (tensor: Tensor, options: PositionOptions = {}): Tensor<'int32'> =>
  position('argmax', tensor, options);

/** The position of the first smallest element; otherwise as `argmax`. */
export const argmin = (tensor: Tensor, options: PositionOptions = {}): Tensor<'int32'> =>
  position('argmin', tensor, options);

export interface PositionOptions {
  readonly axis?: number;
  readonly keepDims?: boolean;
}

function position(name: 'argmax' | 'argmin', tensor: Tensor, options: PositionOptions): Tensor<'int32'> {
  floats(name, tensor);
  const { axes, out } = reduced(name, tensor, options);
  const size = sizeOfShape(axes.map((axis) => tensor.shape[axis] as number));
  if (size > 0 || out.size === 0) return out as Tensor<'int32'>;
  out.dispose();
  throw new ShapeError(
    `${name}: expected at least one element to choose from, got ${describeShape(tensor.shape)}.`,
  );
}

export interface VarianceOptions extends ReduceOptions {
  /** Subtracted from the number of elements that the sum of squares is divided by: 1 for the unbiased estimate. */
  readonly correction?: number;
}

/** The mean squared distance from the mean (NumPy's default; PyTorch's has `correction: 1`). */
export const variance = <D extends DType>(
  tensor: Tensor<D>,
  { correction = 0, ...options }: VarianceOptions = {},
): Tensor<Floated<D>> =>
  scope(tensor.device, () => {
    const axes = axesOf('variance', options.axis, tensor.use('variance').rank);
    const count = sizeOfShape(axes.map((axis) => tensor.shape[axis] as number));
    const spreads = mean(square(sub(tensor, mean(tensor, { axis: axes, keepDims: true }))), {
      ...options,
      axis: axes,
    });
    return (correction === 0 ? spreads : mul(spreads, count / (count - correction))) as Tensor<Floated<D>>;
  });

function floats(name: string, tensor: Tensor): void {
  if (isFloat(tensor.dtype)) return;
  throw new DTypeError(`${name}: expected floats, got ${tensor}. Convert it with cast(tensor, 'float32').`);
}
