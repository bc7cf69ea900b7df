// Joining tensors, and cutting one apart.

import type { DType } from '../contract/dtype.ts';
import { allocate } from '../dispatch.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { promote } from '../promote.ts';
import { scope } from '../scope.ts';
import { axisOf, describeShape } from '../shape.ts';
import { record } from '../tape/record.ts';
import type { Tensor } from '../tensor.ts';
import { cast } from './cast.ts';
import { copyInto } from './copy.ts';

export interface JoinOptions {
  /** The first if left out. */
  readonly axis?: number;
}

/**
 * Tensors one after another along an existing axis; dtypes are promoted.
 *
 * @throws ShapeError for an empty list, or sizes that differ along another axis.
 */
export function concat<D extends DType>(
  tensors: readonly Tensor<D>[],
  { axis = 0 }: JoinOptions = {},
): Tensor<D> {
  const [first] = tensors;
  if (!first) throw new ShapeError('concat: expected at least one tensor, got none.');
  const { device, shape, rank } = first.use('concat');
  const along = axisOf('concat', axis, rank);
  for (const [i, one] of tensors.entries()) {
    if (one.rank === rank && one.shape.every((size, j) => j === along || size === shape[j])) continue;
    throw new ShapeError(
      `concat: expected sizes that are equal but along axis ${along}: tensor 0 is ${describeShape(shape)}, tensor ${i} is ` +
        `${describeShape(one.shape)}. To join along a new axis, use stack.`,
    );
  }
  const dtype = promote(...tensors.map((one) => one.dtype)) as D;
  return scope(device, () => {
    const parts = tensors.map((one) => (one.dtype === dtype ? one : cast(one, dtype)));
    const sizes = parts.map((one) => one.shape[along] as number);
    const total = sizes.reduce((all, size) => all + size, 0);
    const out = allocate(
      device,
      'concat',
      shape.map((size, i) => (i === along ? total : size)),
      dtype,
    );
    const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((all, size) => all + size, 0));
    for (const [i, part] of parts.entries()) {
      if (part.size === 0) continue;
      copyInto(
        'concat',
        part,
        out.view('concat', {
          shape: part.shape,
          strides: out.strides,
          offset: (starts[i] as number) * (out.strides[along] as number),
        }),
      );
    }
    record(device, {
      name: 'concat',
      inputs: parts,
      outputs: [out],
      vjp: ([gradient], _, wanted) =>
        sizes.map((size, i) =>
          gradient && wanted[i]
            ? gradient.slice(along, starts[i] as number, (starts[i] as number) + size)
            : null,
        ),
    });
    return out;
  });
}

/** Tensors of one shape one after another along a new axis. */
export function stack<D extends DType>(
  tensors: readonly Tensor<D>[],
  { axis = 0 }: JoinOptions = {},
): Tensor<D> {
  const [first] = tensors;
  if (!first) throw new ShapeError('stack: expected at least one tensor, got none.');
  const at = axisOf('stack', axis, first.rank + 1);
  for (const [i, one] of tensors.entries()) {
    if (one.shape.join() === first.shape.join()) continue;
    throw new ShapeError(
      `stack: expected tensors of one shape: tensor 0 is ${describeShape(first.shape)}, tensor ${i} is ${describeShape(one.shape)}.`,
    );
  }
  return scope(first.device, () =>
    concat(
      tensors.map((one) => one.unsqueeze(at)),
      { axis: at },
    ),
  );
}

/**
 * Views of consecutive parts along an axis: parts of one size (a number, which must divide the axis), or of the sizes in a
 * list (whose sum must be the axis's).
 *
 * @throws ValueError otherwise.
 */
export function split<D extends DType>(
  tensor: Tensor<D>,
  sizes: number | readonly number[],
  { axis = 0 }: JoinOptions = {},
): Tensor<D>[] {
  const along = axisOf('split', axis, tensor.use('split').rank);
  const whole = tensor.shape[along] as number;
  const each = typeof sizes === 'number' ? equalParts(whole, sizes, along) : sizes;
  const total = each.reduce((all, size) => all + size, 0);
  if (total !== whole || each.some((size) => !Number.isInteger(size) || size < 0)) {
    throw new ValueError(
      `split: expected sizes that add up to ${whole}, the size of axis ${along} of ${describeShape(tensor.shape)}, got [${each.join(', ')}].`,
    );
  }
  const ends = each.map((_, i) => each.slice(0, i + 1).reduce((all, size) => all + size, 0));
  return each.map((size, i) => tensor.slice(along, (ends[i] as number) - size, ends[i]));
}

function equalParts(whole: number, size: number, axis: number): number[] {
  if (Number.isInteger(size) && size > 0 && whole % size === 0)
    return new Array<number>(whole / size).fill(size);
  throw new ValueError(
    `split: expected a size that divides ${whole}, the size of axis ${axis}, got ${size}. Sizes that differ are given as a list.`,
  );
}
