// Views: other looks at the same memory. Each knows how a gradient goes back through it.

import type { DType } from '../contract/dtype.ts';
import { ShapeError, ValueError } from '../errors.ts';
import {
  axesOf,
  axisOf,
  checkShape,
  describeShape,
  expandStrides,
  type Layout,
  reshapeStrides,
  rowMajor,
  type Shape,
  sameShape,
  sizeOfShape,
} from '../shape.ts';
import { record } from '../tape/record.ts';
import type { Tensor } from '../tensor.ts';
import { packed } from './copy.ts';
import { embed } from './pad.ts';
import { sumTo } from './reduce.ts';

/** A view that is part of the graph. */
function recorded<D extends DType>(
  name: string,
  from: Tensor<D>,
  view: Tensor<D>,
  back: (gradient: Tensor) => Tensor,
): Tensor<D> {
  record(from.device, {
    name,
    inputs: [from],
    outputs: [view],
    vjp: ([gradient]) => [gradient ? back(gradient) : null],
  });
  return view;
}

/** See `Tensor.reshape`. @throws ShapeError where the sizes do not multiply to the same. */
export function reshape<D extends DType>(tensor: Tensor<D>, shape: Shape): Tensor<D> {
  const to = inferred(tensor.use('reshape'), shape);
  const strides = reshapeStrides(tensor, to);
  const view = strides
    ? tensor.view('reshape', { shape: to, strides, offset: tensor.offset })
    : under(packed(tensor), to);
  return recorded('reshape', tensor, view, (gradient) => reshape(gradient, tensor.shape));
}

/** A packed tensor under another shape, which takes its place. */
function under<D extends DType>(whole: Tensor<D>, shape: Shape): Tensor<D> {
  const view = whole.view('reshape', { shape, strides: rowMajor(shape), offset: whole.offset });
  whole.dispose();
  return view;
}

function inferred(tensor: Tensor, shape: Shape): Shape {
  const free = shape.indexOf(-1);
  if (free >= 0 && shape.includes(-1, free + 1)) {
    throw new ShapeError(`reshape: expected at most one -1, got ${describeShape(shape)}.`);
  }
  const known = sizeOfShape(shape.filter((_, axis) => axis !== free));
  if (free >= 0 && (known === 0 || tensor.size % known !== 0)) {
    throw new ShapeError(
      `reshape: ${describeShape(tensor.shape)} holds ${tensor.size} elements, which do not divide into ${describeShape(shape)}.`,
    );
  }
  const whole = free < 0 ? shape : shape.map((size, axis) => (axis === free ? tensor.size / known : size));
  checkShape('reshape', whole);
  if (sizeOfShape(whole) !== tensor.size) {
    throw new ShapeError(
      `reshape: ${describeShape(tensor.shape)} holds ${tensor.size} elements, ${describeShape(shape)} takes ${sizeOfShape(whole)}. One size may be -1: it is worked out.`,
    );
  }
  return [...whole];
}

/** See `Tensor.permute`. @throws ValueError where an axis is missing, named twice, or beyond the rank. */
export function permute<D extends DType>(tensor: Tensor<D>, order: readonly number[]): Tensor<D> {
  const axes = axesOf('permute', order, tensor.rank);
  if (axes.length !== tensor.rank) {
    throw new ValueError(
      `permute: expected each of the ${tensor.rank} axes of ${tensor} once, got [${order.join(', ')}].`,
    );
  }
  const view = tensor.view('permute', {
    shape: axes.map((axis) => tensor.shape[axis] as number),
    strides: axes.map((axis) => tensor.strides[axis] as number),
    offset: tensor.offset,
  });
  const inverse = axes.map((_, axis) => axes.indexOf(axis));
  return recorded('permute', tensor, view, (gradient) => permute(gradient, inverse));
}

/** See `Tensor.transpose`. @throws ValueError beyond the rank. */
export function transpose<D extends DType>(tensor: Tensor<D>, a: number, b: number): Tensor<D> {
  const [from, to] = [axisOf('transpose', a, tensor.rank), axisOf('transpose', b, tensor.rank)];
  const swap = (axis: number) => (axis === from ? to : axis === to ? from : axis);
  return permute(
    tensor,
    tensor.shape.map((_, axis) => swap(axis)),
  );
}

/** See `Tensor.slice`. */
export function slice<D extends DType>(
  tensor: Tensor<D>,
  axis: number,
  start: number,
  end: number | undefined,
  step: number,
): Tensor<D> {
  const along = axisOf('slice', axis, tensor.rank);
  const size = tensor.shape[along] as number;
  const first = positionIn(tensor, along, size, 'start', start);
  const last = positionIn(tensor, along, size, 'end', end ?? size);
  if (!Number.isInteger(step) || step < 1) {
    throw new ValueError(`slice: expected a step that is a whole number of at least 1, got ${step}.`);
  }
  const count = Math.max(0, Math.ceil((last - first) / step));
  const stride = tensor.strides[along] as number;
  const view = tensor.view('slice', {
    shape: tensor.shape.map((old, i) => (i === along ? count : old)),
    strides: tensor.strides.map((old, i) => (i === along ? old * step : old)),
    offset: tensor.offset + (count === 0 ? 0 : first * stride),
  });
  const { shape } = tensor;
  return recorded('slice', tensor, view, (gradient) =>
    embed('slice', gradient, shape, along, count === 0 ? 0 : first, step),
  );
}

function positionIn(tensor: Tensor, axis: number, size: number, name: string, position: number): number {
  const from = position < 0 ? position + size : position;
  if (Number.isInteger(position) && from >= 0 && from <= size) return from;
  throw new ValueError(
    `slice: expected ${name} from ${-size} to ${size} along axis ${axis} of ${describeShape(tensor.shape)}, got ${position}.`,
  );
}

/** See `Tensor.expand`. @throws ShapeError where an axis is neither equal nor one. */
export function expand<D extends DType>(tensor: Tensor<D>, shape: Shape): Tensor<D> {
  checkShape('expand', shape);
  if (sameShape(tensor.shape, shape))
    return recorded('expand', tensor, tensor.detach(), (gradient) => gradient);
  const strides = expandStrides(tensor.use('expand'), shape);
  if (!strides) {
    throw new ShapeError(
      `expand: ${describeShape(tensor.shape)} does not broadcast to ${describeShape(shape)}: aligned at the last axis, sizes ` +
        'must be equal or 1, and no axis can be lost.',
    );
  }
  const view = tensor.view('expand', { shape: [...shape], strides, offset: tensor.offset });
  const from = tensor.shape;
  return recorded('expand', tensor, view, (gradient) => sumTo(gradient, from));
}

/** See `Tensor.squeeze`. @throws ShapeError for an axis whose size is not one. */
export function squeeze<D extends DType>(tensor: Tensor<D>, axis?: number | readonly number[]): Tensor<D> {
  const ones = tensor.shape.flatMap((size, i) => (size === 1 ? [i] : []));
  const gone = axis === undefined ? ones : axesOf('squeeze', axis, tensor.rank);
  for (const one of gone) {
    if (tensor.shape[one] === 1) continue;
    throw new ShapeError(
      `squeeze: expected axis ${one} of ${describeShape(tensor.shape)} to have size 1. Take one element with slice(axis, at, at + 1).`,
    );
  }
  return reaxed('squeeze', tensor, {
    shape: tensor.shape.filter((_, i) => !gone.includes(i)),
    strides: tensor.strides.filter((_, i) => !gone.includes(i)),
    offset: tensor.offset,
  });
}

/** See `Tensor.unsqueeze`. @throws ValueError beyond the rank. */
export function unsqueeze<D extends DType>(tensor: Tensor<D>, axis: number): Tensor<D> {
  const at = axisOf('unsqueeze', axis, tensor.rank + 1);
  return reaxed('unsqueeze', tensor, {
    shape: tensor.shape.toSpliced(at, 0, 1),
    strides: tensor.strides.toSpliced(at, 0, 0),
    offset: tensor.offset,
  });
}

function reaxed<D extends DType>(name: string, tensor: Tensor<D>, layout: Layout): Tensor<D> {
  const { shape } = tensor;
  return recorded(name, tensor, tensor.view(name, layout), (gradient) => reshape(gradient, shape));
}
