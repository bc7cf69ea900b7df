import { reference } from '@heed/reference';
import { add, copy, openDevice, tensor } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { swiftshader } from '../adapters.fixture.ts';
import { bufferOf, tensorFromBuffer, webgpu } from '../index.ts';
import { COPY_DST, COPY_SRC, MAP_READ, STORAGE } from './usage.ts';

describe('buffers of others on the same device', () => {
  let gpu: GPUDevice;
  let device: Awaited<ReturnType<typeof openDevice>>;
  beforeAll(async () => {
    gpu = (await (await swiftshader().gpu?.requestAdapter())?.requestDevice()) as GPUDevice;
    device = await openDevice(webgpu({ device: gpu }));
  });
  afterAll(async () => {
    await device.close();
    gpu.destroy();
  });
  const bufferWith = (values: readonly number[], usage = STORAGE | COPY_SRC | COPY_DST) => {
    const buffer = gpu.createBuffer({ size: values.length * 4, usage });
    gpu.queue.writeBuffer(buffer, 0, Float32Array.from(values));
    return buffer;
  };

  it('become tensors without a copy, and stay theirs', async () => {
    const buffer = bufferWith([1, 2, 3, 4, 5, 6, 7]);
    const whole = tensorFromBuffer(device, buffer, [7]);
    const part = tensorFromBuffer(device, buffer, [2, 2], { offset: 3 });
    expect(bufferOf(whole)).toEqual({ buffer, offset: 0, size: 28 });
    expect(bufferOf(part)).toEqual({ buffer, offset: 12, size: 16 });
    expect(await add(part, part).toNested()).toEqual([
      [8, 10],
      [12, 14],
    ]);
    gpu.queue.writeBuffer(buffer, 12, Float32Array.of(40));
    expect(await add(part, part).toNested()).toEqual([
      [80, 10],
      [12, 14],
    ]);
    const { buffers } = device.live;
    whole.dispose();
    part.dispose();
    expect(device.live.buffers).toBe(buffers - 2);
    // Neither destroyed nor given to a tensor of the backend's.
    const other = tensor(device, new Array(7).fill(9));
    expect(bufferOf(other).buffer).not.toBe(buffer);
    const again = tensorFromBuffer(device, buffer, [7]);
    expect([...(await again.read())]).toEqual([1, 2, 3, 40, 5, 6, 7]);
  });

  it('are refused where they do not fit', () => {
    expect(() => tensorFromBuffer(device, bufferWith([1], COPY_SRC | COPY_DST), [1])).toThrow(
      /expected a buffer of whole words .* STORAGE and COPY_SRC .* got 4 bytes with usage 0xc/,
    );
    expect(() => tensorFromBuffer(device, bufferWith([1, 2]), [2], { offset: 1 })).toThrow(
      'expected at least 12 bytes for [2] of float32 from element 1 on, got 8',
    );
    expect(() => tensorFromBuffer(device, bufferWith([1]), [0], { dtype: 'float64' })).toThrow('got float64');
  });

  it('read what tensors hold, enqueued work included', async () => {
    const sum = add(tensor(device, [1, 2, 3]), tensor(device, [10, 20, 30]));
    const { buffer, offset, size } = bufferOf(sum);
    const readable = gpu.createBuffer({ size, usage: MAP_READ | COPY_DST });
    const encoder = gpu.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, offset, readable, 0, size);
    gpu.queue.submit([encoder.finish()]);
    await readable.mapAsync(MAP_READ);
    expect([...new Float32Array(readable.getMappedRange())]).toEqual([11, 22, 33]);
  });

  it('cannot be had of tensors with strides of their own, or of other backends', async () => {
    const square = tensor(device, [
      [1, 2],
      [3, 4],
    ]);
    expect(() => bufferOf(square.transpose())).toThrow(
      'bufferOf: expected a row-major tensor without gaps, got strides [1, 2] of [2, 2]. Give copy(tensor).',
    );
    expect(bufferOf(copy(square.transpose())).size).toBe(16);
    const elsewhere = await openDevice(reference());
    expect(() => bufferOf(tensor(elsewhere, [1]))).toThrow(
      'expected a device of webgpu(), got one of reference()',
    );
    expect(() => tensorFromBuffer(elsewhere, bufferWith([1]), [1])).toThrow('expected a device of webgpu()');
  });
});
