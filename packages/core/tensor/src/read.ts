// Results out of a device: bytes to typed arrays to nested arrays. The only asynchronous part of a tensor's life.

import { type ArrayOf, type DType, dtypes } from './contract/dtype.ts';
import { fromBfloat16, fromFloat16 } from './half.ts';
import { packed } from './ops/copy.ts';
import { scope } from './scope.ts';
import type { Shape } from './shape.ts';
import type { Tensor } from './tensor.ts';

/** One element, as JavaScript has it. */
export type ItemOf<D extends DType> = D extends 'bool' ? boolean : number;

/** Nested arrays of elements; how deep is known when they are there. */
export type Nested<T> = T | readonly Nested<T>[];

type Decode<D extends DType> = (bytes: Uint8Array<ArrayBuffer>) => ArrayOf[D];

const widened = (from: (bits: number) => number) => (bytes: Uint8Array<ArrayBuffer>) =>
  Float32Array.from(new Uint16Array(bytes.buffer), from);

const decoders: { readonly [D in DType]: Decode<D> } = {
  float64: (bytes) => new Float64Array(bytes.buffer),
  float32: (bytes) => new Float32Array(bytes.buffer),
  float16: widened(fromFloat16),
  bfloat16: widened(fromBfloat16),
  int32: (bytes) => new Int32Array(bytes.buffer),
  int8: (bytes) => new Int8Array(bytes.buffer),
  bool: (bytes) => bytes,
};

/** The elements of a tensor, row-major. The tensor may be disposed while this waits. */
export async function readElements<D extends DType>(tensor: Tensor<D>): Promise<ArrayOf[D]> {
  const { device, dtype, size } = tensor.use('read');
  // A handle of its own, outside every scope, keeps the memory until the bytes have arrived.
  const source = scope(device, () => packed(tensor));
  source.life.scope?.release(source.life);
  const { bytes } = dtypes[dtype];
  try {
    const { allocation } = source.life.storage;
    const raw = await device.backend.read(allocation, source.offset * bytes, size * bytes);
    // Typed arrays look at whole aligned buffers: a backend may have handed over a piece of a larger one.
    const whole = raw.byteOffset === 0 && raw.byteLength === raw.buffer.byteLength ? raw : raw.slice();
    return (decoders[dtype] as Decode<D>)(whole);
  } finally {
    source.dispose();
  }
}

/** A flat list as nested arrays of the given shape. */
export function nest<T>(flat: readonly T[], shape: Shape): Nested<T> {
  let at = 0;
  const level = (axis: number): Nested<T> => {
    if (axis === shape.length) return flat[at++] as T;
    return Array.from({ length: shape[axis] as number }, () => level(axis + 1));
  };
  return level(0);
}
