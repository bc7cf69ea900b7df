// Lookups by index, and their way back.

import type { DType } from '../contract/dtype.ts';
import { build, dispatch } from '../dispatch.ts';
import { DTypeError, ShapeError } from '../errors.ts';
import { fill } from '../fill.ts';
import { scope } from '../scope.ts';
import { axisOf, describeShape, type Layout, type Shape, sameShape } from '../shape.ts';
import { record } from '../tape/record.ts';
import type { Tensor } from '../tensor.ts';
import { copyInto, packed } from './copy.ts';

export interface AlongOptions {
  readonly axis: number;
}

function checkIndices(where: string, indices: Tensor): void {
  if (indices.use(where).dtype !== 'int32') {
    throw new DTypeError(
      `${where}: expected int32 indices, got ${indices}. Convert them with cast(indices, 'int32').`,
    );
  }
}

/** Shapes that may differ along one axis only. */
function checkAligned(
  where: string,
  names: readonly [string, string],
  a: Shape,
  b: Shape,
  axis: number,
): void {
  if (a.length === b.length && a.every((size, i) => i === axis || size === b[i])) return;
  throw new ShapeError(
    `${where}: expected ${names[0]} and ${names[1]} to have equal sizes but along axis ${axis}, got ${describeShape(a)} and ` +
      `${describeShape(b)}. Repeat with expand(shape), cut with slice(...).`,
  );
}

/**
 * One element of `data` for each index, as torch.gather: for axis 1 of 3, `out[i, m, k] = data[i, indices[i, m, k], k]`.
 * An index outside is a fault: the next `read` rejects with a ValueError.
 *
 * @throws ShapeError unless `data` and `indices` agree in all other axes (torch cuts off `data` in silence).
 */
export function gather<D extends DType>(
  data: Tensor<D>,
  indices: Tensor<'int32'>,
  options: AlongOptions,
): Tensor<D> {
  checkIndices('gather', indices);
  const axis = axisOf('gather', options.axis, data.use('gather').rank);
  checkAligned('gather', ['data', 'indices'], data.shape, indices.shape, axis);
  const out = lookUp('gather', data, indices, axis);
  recordLookup('gather', data, indices, out, axis);
  return out;
}

/**
 * Whole slices of `data` for each index, as np.take: an embedding is `take(table, ids)`. Axis `axis` (the first if left
 * out) is replaced by the axes of `indices`. An index outside is a fault: the next `read` rejects with a ValueError.
 */
export function take<D extends DType>(
  data: Tensor<D>,
  indices: Tensor<'int32'>,
  options: Partial<AlongOptions> = {},
): Tensor<D> {
  checkIndices('take', indices);
  const { device, shape } = data.use('take');
  const axis = axisOf('take', options.axis ?? 0, data.rank);
  return scope(device, () => {
    const flat = packed(indices).reshape([-1]);
    const at = spreadIndices(flat, shape, axis);
    const out = lookUp('take', data, at, axis);
    recordLookup('take', data, at, out, axis);
    return out.reshape([...shape.slice(0, axis), ...indices.shape, ...shape.slice(axis + 1)]);
  });
}

/** A list of indices seen as equal for all other axes of a shape. */
function spreadIndices(flat: Tensor<'int32'>, shape: Shape, axis: number): Tensor<'int32'> {
  const layout: Layout = {
    shape: shape.map((size, i) => (i === axis ? flat.size : size)),
    strides: shape.map((_, i) => (i === axis ? 1 : 0)),
    offset: flat.offset,
  };
  return flat.view('take', layout);
}

function lookUp<D extends DType>(
  where: string,
  data: Tensor<D>,
  indices: Tensor<'int32'>,
  axis: number,
): Tensor<D> {
  const { device, dtype, rank } = data;
  const program = device.remember(gathers, `${axis} ${rank} ${dtype}`, () => ({
    kind: 'gather' as const,
    outer: axis,
    inner: rank - axis - 1,
    dtype,
  }));
  const { out } = dispatch(device, program, {
    where,
    inputs: { data, index: indices },
    results: { out: { shape: indices.shape, dtype } },
  });
  return out as Tensor<D>;
}

const gathers = {};
const scatters = {};

function recordLookup(name: string, data: Tensor, indices: Tensor<'int32'>, out: Tensor, axis: number): void {
  const { shape } = data;
  record(data.device, {
    name,
    inputs: [data],
    outputs: [out],
    saved: [indices],
    vjp: ([gradient], [at]) => [
      gradient && at ? scattered(name, gradient, at as Tensor<'int32'>, shape, axis) : null,
    ],
  });
}

/** Sources added onto zeros. */
function scattered(
  where: string,
  source: Tensor,
  indices: Tensor<'int32'>,
  shape: Shape,
  axis: number,
): Tensor {
  return build(source.device, where, shape, source.dtype, (out) => {
    fill(where, out, 0);
    scatterOnto(where, out, source, indices, axis);
  });
}

function scatterOnto(
  where: string,
  out: Tensor,
  source: Tensor,
  indices: Tensor<'int32'>,
  axis: number,
): void {
  const { device, dtype, rank } = out;
  if (source.size === 0) return;
  const program = device.remember(scatters, `${axis} ${rank} ${dtype}`, () => ({
    kind: 'scatter-add' as const,
    outer: axis,
    inner: rank - axis - 1,
    dtype,
  }));
  dispatch(device, program, { where, inputs: { source, index: indices }, results: { out: { into: out } } });
}

/**
 * `data` with each element of `source` added at its index, as torch.scatter_add: for axis 1 of 3,
 * `out[i, indices[i, m, k], k] += source[i, m, k]`, in the order of m. An index outside adds nothing and is a fault.
 *
 * @throws ShapeError unless `indices` and `source` are of one shape and agree with `data` in all other axes; DTypeError
 *   for a source of another dtype than the data.
 */
export function scatterAdd<D extends DType>(
  data: Tensor<D>,
  indices: Tensor<'int32'>,
  source: Tensor<D>,
  options: AlongOptions,
): Tensor<D> {
  checkIndices('scatterAdd', indices);
  const { device, shape, dtype } = data.use('scatterAdd');
  const axis = axisOf('scatterAdd', options.axis, data.rank);
  checkAligned('scatterAdd', ['data', 'indices'], shape, indices.shape, axis);
  if (!sameShape(indices.shape, source.shape)) {
    throw new ShapeError(
      `scatterAdd: expected an index for each element of the source, ${describeShape(source.shape)}, got ${describeShape(indices.shape)}.`,
    );
  }
  if (source.dtype !== dtype) {
    throw new DTypeError(
      `scatterAdd: expected a source of ${dtype}, as the data, got ${source.dtype}. Convert it with cast(source, '${dtype}').`,
    );
  }
  const out = build(device, 'scatterAdd', shape, dtype, (sums) => {
    copyInto('scatterAdd', data, sums);
    scatterOnto('scatterAdd', sums, source, indices, axis);
  });
  record(device, {
    name: 'scatterAdd',
    inputs: [data, source],
    outputs: [out],
    saved: [indices],
    vjp: ([gradient], [at]) => {
      if (!gradient || !at) return [null, null];
      return [gradient, lookUp('scatterAdd', gradient, at as Tensor<'int32'>, axis)];
    },
  });
  return out;
}
