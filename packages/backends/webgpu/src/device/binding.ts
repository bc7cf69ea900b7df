// Which part of a buffer a shader sees of a view.

import { BackendError, dtypes, type View } from '@heed/tensor';
import type { Layout } from '../emit/plan.ts';

/** A part of a buffer, in bytes: what a bind group holds. */
export interface Part {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

/** What a device allows. */
export interface BindingLimits {
  readonly bindingBytes: number;
  /** What offsets are multiples of. */
  readonly alignment: number;
}

/** Bytes of a vec4: a part that ends between two of them hides the last. */
const VECTOR = 16;

/** The bytes of its buffer that a view reaches: from the first, to after the last. */
export function reach({ dtype, shape, strides, offset }: View): readonly [number, number] {
  const { bytes } = dtypes[dtype];
  if (shape.includes(0)) return [0, 0];
  let [low, high] = [offset, offset];
  for (const [axis, size] of shape.entries()) {
    const step = (size - 1) * (strides[axis] as number);
    if (step < 0) low += step;
    else high += step;
  }
  return [low * bytes, (high + 1) * bytes];
}

/** All of a buffer. */
export const wholly = (buffer: GPUBuffer): Part => ({ buffer, offset: 0, size: buffer.size });

/**
 * The part of a buffer that is bound for a view, and the view's layout within it: all of the buffer where that may be, so
 * that few bind groups are made; otherwise the aligned range around the view.
 *
 * @throws BackendError where even that is more than the device binds.
 */
export function partOf(
  where: string,
  view: View,
  buffer: GPUBuffer,
  { bindingBytes, alignment }: BindingLimits,
): { readonly part: Part; readonly layout: Layout } {
  const { shape, strides, offset, dtype } = view;
  if (buffer.size <= bindingBytes) return { part: wholly(buffer), layout: { shape, strides, offset } };
  const [low, high] = reach(view);
  const from = Math.floor(low / alignment) * alignment;
  const to = Math.min(buffer.size, from + Math.ceil(Math.max(1, high - from) / VECTOR) * VECTOR);
  if (to - from > bindingBytes) {
    throw new BackendError(
      `webgpu: ${where}: expected to lie within ${bindingBytes} bytes (maxStorageBufferBindingSize), got ${high - low}. ` +
        'Split the tensor.',
    );
  }
  return {
    part: { buffer, offset: from, size: to - from },
    layout: { shape, strides, offset: offset - from / dtypes[dtype].bytes },
  };
}
