// Tensors and buffers of other programs on the same device, without a copy in either direction.

import {
  BackendError,
  type Device,
  type DType,
  dtypes,
  rowMajor,
  type Shape,
  ShapeError,
  sizeOfShape,
  Tensor,
} from '@heed/tensor';
import type { WebGpuBackend } from './backend.ts';
import { COPY_SRC, STORAGE } from './usage.ts';

function backendOf(where: string, device: Device): WebGpuBackend {
  const { backend } = device;
  // Told by what it can do: its class is part of what is loaded when a device opens.
  if ('adopt' in backend && 'bufferOf' in backend) return backend as WebGpuBackend;
  throw new BackendError(`${where}: expected a device of webgpu(), got one of ${device.name}().`);
}

export interface BufferOptions<D extends DType> {
  readonly dtype?: D;
  /** Where the first element lies in the buffer, in elements. */
  readonly offset?: number;
}

/**
 * A tensor over a buffer of the caller's, row-major, float32 if no dtype is given. Nothing is copied: work that is enqueued
 * later sees what the buffer holds then. The buffer stays the caller's, who destroys it after the tensor has ended.
 *
 * @param device one that was opened on the buffer's own device: `openDevice(webgpu({ device }))`.
 * @throws BackendError for a buffer without the usages STORAGE and COPY_SRC, or of bytes that are no whole words; ShapeError
 *   for one that is too small.
 */
export function tensorFromBuffer<D extends DType = 'float32'>(
  device: Device,
  buffer: GPUBuffer,
  shape: Shape,
  { dtype = 'float32' as D, offset = 0 }: BufferOptions<D> = {},
): Tensor<D> {
  const where = 'tensorFromBuffer';
  device.checkOpen(where);
  const backend = backendOf(where, device);
  if (!backend.limits.dtypes.includes(dtype)) {
    throw new BackendError(`${where}: expected ${backend.limits.dtypes.join(', ')}, got ${dtype}.`);
  }
  const needed = STORAGE | COPY_SRC;
  if ((buffer.usage & needed) !== needed || buffer.size % 4 !== 0) {
    throw new BackendError(
      `${where}: expected a buffer of whole words of 4 bytes with the usages STORAGE and COPY_SRC (and COPY_DST where it is ` +
        `to be written from outside), got ${buffer.size} bytes with usage 0x${buffer.usage.toString(16)}.`,
    );
  }
  const bytes = (offset + sizeOfShape(shape)) * dtypes[dtype].bytes;
  if (!Number.isSafeInteger(offset) || offset < 0 || bytes > buffer.size) {
    throw new ShapeError(
      `${where}: expected at least ${bytes} bytes for [${shape.join(', ')}] of ${dtype} from element ${offset} on, got ${buffer.size}.`,
    );
  }
  const storage = device.adopt(backend.adopt(buffer));
  return new Tensor(device, storage, dtype, { shape: [...shape], strides: rowMajor(shape), offset });
}

/**
 * Where a tensor's elements lie, row-major, with everything that makes them on its way to the device: work submitted to its
 * queue from now on sees them. Valid while the tensor lives; offset and size are bytes. The buffer may hold other tensors.
 *
 * @throws BackendError for a tensor of another backend, or one with strides of its own: copy it before.
 */
export function bufferOf(tensor: Tensor): Required<GPUBufferBinding> {
  const where = 'bufferOf';
  const backend = backendOf(where, tensor.device);
  const { allocation } = tensor.viewFor(where);
  if (!tensor.contiguous) {
    throw new BackendError(
      `${where}: expected a row-major tensor without gaps, got strides [${tensor.strides.join(', ')}] of [${tensor.shape.join(', ')}]. ` +
        'Give copy(tensor).',
    );
  }
  const { bytes } = dtypes[tensor.dtype];
  return { buffer: backend.bufferOf(allocation), offset: tensor.offset * bytes, size: tensor.size * bytes };
}
