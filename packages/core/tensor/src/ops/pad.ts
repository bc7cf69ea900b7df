// Padding, and its special case: the way back from a slice.

import type { DType } from '../contract/dtype.ts';
import { build } from '../dispatch.ts';
import { ShapeError } from '../errors.ts';
import { fill } from '../fill.ts';
import { describeShape, type Shape } from '../shape.ts';
import { record } from '../tape/record.ts';
import type { Tensor } from '../tensor.ts';
import { copyInto } from './copy.ts';

/** Zeros of a shape, with `part` at `start`, `start + step`, ... along an axis. Records nothing. */
export function embed(
  where: string,
  part: Tensor,
  shape: Shape,
  axis: number,
  start: number,
  step: number,
): Tensor {
  return build(part.device, where, shape, part.dtype, (whole) => {
    fill(where, whole, 0);
    const strides = whole.strides.map((stride, i) => (i === axis ? stride * step : stride));
    copyPart(where, part, whole, strides, start * (whole.strides[axis] as number));
  });
}

function copyPart(
  where: string,
  part: Tensor,
  whole: Tensor,
  strides: readonly number[],
  offset: number,
): void {
  if (part.size === 0) return;
  const target = whole.view(where, { shape: part.shape, strides, offset });
  try {
    copyInto(where, part, target);
  } finally {
    target.dispose();
  }
}

/**
 * The tensor with elements of `value` added before and after, `[before, after]` for each axis:
 * `pad(x, [[0, 0], [1, 2]])`.
 *
 * @throws ShapeError unless there is a pair of whole numbers of at least 0 for each axis.
 */
export function pad<D extends DType>(
  tensor: Tensor<D>,
  amounts: readonly (readonly [before: number, after: number])[],
  value = 0,
): Tensor<D> {
  const { device, dtype, shape, rank } = tensor.use('pad');
  if (amounts.length !== rank || amounts.flat().some((amount) => !Number.isInteger(amount) || amount < 0)) {
    throw new ShapeError(
      `pad: expected [before, after] for each of the ${rank} axes of ${describeShape(shape)}, whole numbers of at least 0, got ` +
        `${JSON.stringify(amounts)}. To take elements away, use slice.`,
    );
  }
  const sizes = shape.map((size, axis) => size + amounts[axis]![0] + amounts[axis]![1]);
  const out = build(device, 'pad', sizes, dtype, (whole) => {
    fill('pad', whole, value);
    const offset = whole.strides.reduce((all, stride, axis) => all + stride * amounts[axis]![0], 0);
    copyPart('pad', tensor, whole, whole.strides, offset);
  });
  record(device, {
    name: 'pad',
    inputs: [tensor],
    outputs: [out],
    vjp: ([gradient]) => [gradient ? cut(gradient, shape, amounts) : null],
  });
  return out;
}

const cut = (padded: Tensor, shape: Shape, amounts: readonly (readonly [number, number])[]): Tensor =>
  shape.reduce((rest, size, axis) => rest.slice(axis, amounts[axis]![0], amounts[axis]![0] + size), padded);
