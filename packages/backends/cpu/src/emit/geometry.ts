// The shape of a call as kernels see it: as few axes as its strides allow.

import { type DType, dtypes, type View } from '@heed/tensor';

/** How a tensor moves from one lane to the next: to its neighbour, nowhere, or by a stride known when it runs. */
export type Step = 'unit' | 'repeat' | 'any';

/** What a kernel knows of a tensor's layout: everything but where it lies. */
export type Layout = Pick<View, 'dtype' | 'shape' | 'strides'>;

/** Sizes of axes, and for each tensor its strides along them in bytes. */
export interface Axes {
  readonly sizes: readonly number[];
  readonly strides: Readonly<Record<string, readonly number[]>>;
  /** The axis of the program that each axis was, or of which it is the innermost. */
  readonly origins: readonly number[];
}

export const bytesOf = (dtype: DType): number => dtypes[dtype].bytes;
export const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);

/** A tensor's strides in bytes. */
export const byteStrides = ({ dtype, strides }: Layout): number[] =>
  strides.map((stride) => stride * bytesOf(dtype));

/** How a tensor moves along an axis. An axis of one element may be read as whatever is cheapest. */
export function stepOf(dtype: DType, size: number, stride: number): Step {
  if (stride === bytesOf(dtype) || size <= 1) return 'unit';
  return stride === 0 ? 'repeat' : 'any';
}

/**
 * Joins neighbouring axes through which every tensor walks as through one, and drops those of size one.
 *
 * @param fixed axes that stay as they are: their coordinates are read.
 * @param borders axes that are not joined with the one before them.
 */
export function collapse(
  sizes: readonly number[],
  strides: Readonly<Record<string, readonly number[]>>,
  fixed: ReadonlySet<number> = new Set(),
  borders: readonly number[] = [],
): Axes {
  const names = Object.keys(strides);
  const axes: { size: number; strides: number[]; origin: number; group: number }[] = [];
  for (const [origin, size] of sizes.entries()) {
    if (size === 1 && !fixed.has(origin)) continue;
    const group = borders.filter((border) => border <= origin).length;
    const own = names.map((name) => strides[name]?.[origin] as number);
    const last = axes.at(-1);
    const joins =
      last !== undefined &&
      last.group === group &&
      !fixed.has(origin) &&
      !fixed.has(last.origin) &&
      last.strides.every((stride, i) => stride === (own[i] as number) * size);
    if (last && joins) {
      last.size *= size;
      last.strides = own;
      last.origin = origin;
    } else {
      axes.push({ size, strides: own, origin, group });
    }
  }
  return {
    sizes: axes.map(({ size }) => size),
    strides: Object.fromEntries(
      names.map((name, i) => [name, axes.map((axis) => axis.strides[i] as number)]),
    ),
    origins: axes.map(({ origin }) => origin),
  };
}

/** The axes with one more of a single element at a place: where a kernel needs an axis to run along. */
export function withUnitAxis({ sizes, strides, origins }: Axes, at: number): Axes {
  return {
    sizes: sizes.toSpliced(at, 0, 1),
    strides: Object.fromEntries(
      Object.entries(strides).map(([name, all]) => [name, all.toSpliced(at, 0, 0)]),
    ),
    origins: origins.toSpliced(at, 0, -1),
  };
}

/**
 * The axes with an axis of blocks before the given one: block b begins at element b * length. Threads share out blocks, and
 * short calls of long rows let engines without on-stack replacement change to better code.
 */
export function withBlocks({ sizes, strides, origins }: Axes, axis: number, length: number): Axes {
  return {
    sizes: sizes.toSpliced(axis, 0, Math.ceil((sizes[axis] as number) / length)),
    strides: Object.fromEntries(
      Object.entries(strides).map(([name, all]) => [
        name,
        all.toSpliced(axis, 0, (all[axis] as number) * length),
      ]),
    ),
    origins: origins.toSpliced(axis, 0, -1),
  };
}
