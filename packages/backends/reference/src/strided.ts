// Strided views: where their elements lie, whether they may, and all of them as a plain float64 array.

import { BackendError, dtypes, type View } from '@heed/tensor';
import { cells } from './cells.ts';
import type { Memory } from './memory.ts';

export const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);

/** Row-major strides without gaps. */
export function rowMajor(shape: readonly number[]): number[] {
  return shape.map((_, axis) => product(shape.slice(axis + 1)));
}

/** Calls `visit` with the place of every element, in row-major order. */
export function eachPlace(
  { shape, strides, offset }: Pick<View, 'shape' | 'strides' | 'offset'>,
  visit: (at: number) => void,
): void {
  const along = (axis: number, at: number): void => {
    if (axis === shape.length) {
      visit(at);
      return;
    }
    const size = shape[axis] as number;
    const stride = strides[axis] as number;
    for (let i = 0; i < size; i++) along(axis + 1, at + i * stride);
  };
  along(0, offset);
}

/** The half-open range of elements that a view touches. */
export function extent({ shape, strides, offset }: View): { readonly low: number; readonly high: number } {
  // Without elements it touches none, wherever it begins: an empty slice at the end begins beyond it.
  if (shape.includes(0)) return { low: 0, high: 0 };
  const steps = shape.map((size, axis) => (size - 1) * (strides[axis] as number));
  const total = (all: readonly number[]) => all.reduce((sum, step) => sum + step, offset);
  return { low: total(steps.filter((step) => step < 0)), high: total(steps.filter((step) => step > 0)) + 1 };
}

/** @throws BackendError for a view that is malformed or reaches outside its allocation. */
export function checkView(memory: Memory, view: View, where: string): void {
  memory.buffer(view.allocation, where);
  const { shape, strides, offset, dtype } = view;
  const refuse = (got: string): never => {
    throw new BackendError(
      `reference: ${where}: expected a ${dtype} view inside its allocation of ${view.allocation.bytes} bytes, got ` +
        `${got} (shape [${shape}], strides [${strides}], offset ${offset}).`,
    );
  };
  if (strides.length !== shape.length) refuse(`${strides.length} strides for ${shape.length} axes`);
  if (![offset, ...shape, ...strides].every(Number.isSafeInteger)) refuse('numbers that are not whole');
  if (shape.some((size) => size < 0)) refuse('a negative size');
  const { low, high } = extent(view);
  if (low < 0 || high * dtypes[dtype].bytes > view.allocation.bytes) refuse(`elements ${low} to ${high - 1}`);
}

/** Every element in row-major order, as float64. */
export function dense(memory: Memory, view: View, where: string): Float64Array {
  const from = cells[view.dtype](memory.buffer(view.allocation, where));
  const all = new Float64Array(product(view.shape));
  let next = 0;
  eachPlace(view, (at) => {
    all[next++] = from.read(at);
  });
  return all;
}

/** Stores elements given in row-major order, each rounded to the view's dtype. */
export function store(memory: Memory, view: View, all: Float64Array, where: string): void {
  const to = cells[view.dtype](memory.buffer(view.allocation, where));
  let next = 0;
  eachPlace(view, (at) => to.write(at, all[next++] as number));
}
