// Arithmetic of shapes: sizes, strides, broadcasting, axes. Pure; knows no tensor.

import { ShapeError, ValueError } from './errors.ts';

export type Shape = readonly number[];

/** Where the elements of a view lie: counts of elements, not bytes. */
export interface Layout {
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly offset: number;
}

/** `[2, 3]` */
export const describeShape = (shape: Shape): string => `[${shape.join(', ')}]`;

/** The number of elements. */
export const sizeOfShape = (shape: Shape): number => shape.reduce((all, size) => all * size, 1);

export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i]);

/** Strides of a row-major array without gaps. */
export function rowMajor(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis] as number;
  }
  return strides;
}

/** Whether elements lie row-major without gaps. The strides of axes of size one are free. */
export function isContiguous({ shape, strides }: Pick<Layout, 'shape' | 'strides'>): boolean {
  if (sizeOfShape(shape) === 0) return true;
  const packed = rowMajor(shape);
  return shape.every((size, axis) => size === 1 || strides[axis] === packed[axis]);
}

/** @throws ShapeError for sizes that are no whole numbers of at least 0. */
export function checkShape(where: string, shape: Shape): void {
  if (shape.every((size) => Number.isSafeInteger(size) && size >= 0)) return;
  throw new ShapeError(
    `${where}: expected sizes that are whole numbers of at least 0, got ${describeShape(shape)}.`,
  );
}

/** An axis counted from the front; -1 is the last. @throws ValueError beyond the rank. */
export function axisOf(where: string, axis: number, rank: number): number {
  const from = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(axis) && from >= 0 && from < rank) return from;
  const range = rank === 0 ? 'expected at least one axis' : `expected an axis from ${-rank} to ${rank - 1}`;
  throw new ValueError(`${where}: ${range}, got ${rank === 0 ? 'a scalar' : axis}.`);
}

/** Axes counted from the front, each once; all of them if left out. */
export function axesOf(where: string, axes: number | readonly number[] | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, axis) => axis);
  const found = (typeof axes === 'number' ? [axes] : axes).map((axis) => axisOf(where, axis, rank));
  if (new Set(found).size !== found.length) {
    throw new ValueError(`${where}: expected each axis once, got [${[axes].flat().join(', ')}].`);
  }
  return found;
}

/**
 * The shape that all are broadcast to, as in NumPy: aligned at the last axis, sizes of one repeat.
 *
 * @param names how the message calls each shape.
 * @throws ShapeError that names the operands and the axis where they disagree.
 */
export function broadcastShapes(
  where: string,
  shapes: readonly Shape[],
  names: readonly string[] = [],
): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const out = new Array<number>(rank).fill(1);
  for (const [at, shape] of shapes.entries()) {
    for (const [i, size] of shape.entries()) {
      const axis = rank - shape.length + i;
      if (size === 1) continue;
      if (out[axis] !== 1 && out[axis] !== size)
        throw misfit(where, shapes, names, at, rank - axis, size, out[axis] as number);
      out[axis] = size;
    }
  }
  return out;
}

function misfit(
  where: string,
  shapes: readonly Shape[],
  names: readonly string[],
  at: number,
  fromEnd: number,
  size: number,
  before: number,
): ShapeError {
  const name = (i: number) => names[i] ?? `operand ${i + 1}`;
  const all = shapes.map((shape, i) => `${name(i)} is ${describeShape(shape)}`).join(', ');
  return new ShapeError(
    `${where}: shapes do not broadcast: ${all}. Counted from the end, axis ${fromEnd} has size ${size} in ${name(at)} ` +
      `and ${before} before it; sizes must be equal, or one of them 1 (unsqueeze(axis) adds such an axis).`,
  );
}

/** The strides that repeat a layout to a larger shape (strides of zero), or null if it does not broadcast there. */
export function expandStrides(from: Pick<Layout, 'shape' | 'strides'>, to: Shape): number[] | null {
  const lead = to.length - from.shape.length;
  if (lead < 0) return null;
  const strides = new Array<number>(to.length).fill(0);
  for (const [i, size] of from.shape.entries()) {
    if (size === to[lead + i]) strides[lead + i] = from.strides[i] as number;
    else if (size !== 1) return null;
  }
  return strides;
}

/** Strides that show a layout under another shape of the same size without moving anything, or null. */
export function reshapeStrides(from: Pick<Layout, 'shape' | 'strides'>, to: Shape): number[] | null {
  if (sizeOfShape(to) === 0) return rowMajor(to);
  const old = from.shape
    .map((size, i) => ({ size, stride: from.strides[i] as number }))
    .filter(({ size }) => size > 1);
  const strides = new Array<number>(to.length).fill(0);
  let at = 0;
  let axis = 0;
  // Runs of old axes and runs of new axes of the same product; a run can be re-cut only if it lies without gaps.
  while (at < old.length) {
    let end = at;
    let product = (old[at] as { size: number }).size;
    let last = axis;
    let wanted = to[axis] as number;
    while (product !== wanted) {
      if (wanted < product) wanted *= to[++last] as number;
      else product *= (old[++end] as { size: number }).size;
    }
    for (let i = at; i < end; i++) {
      const inner = old[i + 1] as { size: number; stride: number };
      if ((old[i] as { stride: number }).stride !== inner.size * inner.stride) return null;
    }
    let stride = (old[end] as { stride: number }).stride;
    for (let i = last; i >= axis; i--) {
      strides[i] = stride;
      stride *= to[i] as number;
    }
    at = end + 1;
    axis = last + 1;
  }
  return strides;
}
