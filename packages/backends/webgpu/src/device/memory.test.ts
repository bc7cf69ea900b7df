import { OutOfMemoryError } from '@heed/tensor';
import { describe, expect, it, vi } from 'vitest';
import { openOn, swiftshader } from '../adapters.fixture.ts';
import { call, increment, kernelOf, planOf, put, take } from './kernel.fixture.ts';
import { Pool } from './pool.ts';
import { sizeClass } from './size-class.ts';

const KIB = 2 ** 10;
const MIB = 2 ** 20;

describe('sizes of buffers', () => {
  it('hold what was asked for, in whole words, with little to spare', () => {
    for (let bytes = 1; bytes < 2 ** 31; bytes = Math.ceil(bytes * 1.013)) {
      const size = sizeClass(bytes, 2 ** 32);
      expect(size).toBeGreaterThanOrEqual(bytes);
      expect(size % 64).toBe(0);
      if (bytes > 256) expect(size).toBeLessThan(bytes * (bytes > MIB ? 1 + 1 / 16 : 1.25) + 1);
    }
  });

  it('are never more than the device has', () => {
    expect(sizeClass(2 ** 30 - 5, 2 ** 30 - 4)).toBe(2 ** 30 - 4);
  });
});

describe('buffers between two uses', () => {
  const buffer = (size: number) => ({ size }) as GPUBuffer;

  it('go to the next that wants their size, the last one first', () => {
    const pool = new Pool();
    const [one, two, other] = [buffer(256), buffer(256), buffer(512)];
    for (const each of [one, two, other]) pool.give(each, 0);
    expect(pool.bytes).toBe(1024);
    expect(pool.take(256)).toBe(two);
    expect(pool.take(256)).toBe(one);
    expect(pool.take(256)).toBeUndefined();
    expect(pool.bytes).toBe(512);
  });

  it('are taken out when nothing has needed them for long', () => {
    const pool = new Pool();
    const [old, young] = [buffer(256), buffer(256)];
    pool.give(old, 0);
    pool.give(young, 200);
    expect(pool.outdated(256)).toEqual([]);
    expect(pool.outdated(257)).toEqual([old]);
    expect(pool.bytes).toBe(256);
    expect(pool.all()).toEqual([young]);
    expect(pool.bytes).toBe(0);
  });
});

describe('memory', () => {
  it('is used again, and never shows what it held', async () => {
    const backend = await openOn(swiftshader());
    const first = put(backend, [1, 2, 3]);
    const buffer = backend.bufferOf(first.allocation);
    backend.free(first.allocation);
    expect(() => backend.bufferOf(first.allocation)).toThrow('that was freed or belongs to another backend');
    expect(() => backend.free(first.allocation)).toThrow('that was freed');
    const second = backend.allocate(12);
    expect(backend.bufferOf(second)).toBe(buffer);
    expect(await backend.read(second, 0, 12)).toEqual(new Uint8Array(12).fill(0xff));
    await backend.close();
  });

  it('stays usable after it ran out, and gives what waits back before that', async () => {
    const backend = await openOn({ ...swiftshader(), bytes: MIB });
    const destroyed = vi.spyOn(Object.getPrototypeOf(backend.bufferOf(backend.allocate(4))), 'destroy');
    const one = backend.allocate(900 * KIB);
    expect(() => backend.allocate(200 * KIB)).toThrow(
      new OutOfMemoryError(
        'webgpu: allocate: asked for 204800 bytes while 921604 of 1048576 are held. Free tensors (dispose, using, scope) or raise webgpu({ bytes }).',
      ),
    );
    backend.free(one);
    expect(destroyed).not.toHaveBeenCalled();
    const two = backend.allocate(500 * KIB);
    expect(destroyed).toHaveBeenCalledTimes(1);
    destroyed.mockRestore();
    expect(two.bytes).toBe(500 * KIB);
    expect(() => backend.allocate(1.5)).toThrow('expected a whole number of bytes, got 1.5');
    await backend.close();
  });

  it('that work on its way uses is destroyed after that work only', async () => {
    const backend = await openOn({ ...swiftshader(), bytes: MIB });
    const kernel = kernelOf(backend, (count) => planOf([increment(count)]));
    const [a, out] = [put(backend, new Array(128 * KIB).fill(1)), put(backend, [0])];
    backend.run(kernel, call({ ...a, shape: [1] }, out));
    backend.free(a.allocation);
    backend.allocate(900 * KIB);
    expect(await take(backend, out)).toEqual([2]);
    await backend.close();
  });

  it('names the largest piece that the device has', async () => {
    const backend = await openOn({ ...swiftshader(), bytes: 2 ** 40 });
    expect(backend.limits.allocationBytes).toBe(backend.device.limits.maxBufferSize);
    expect(() => backend.allocate(2 ** 35)).toThrow(
      /^webgpu: allocate: asked for 34359738368 bytes in one piece, of which this device allows \d+ \(maxBufferSize\)/,
    );
    await backend.close();
  });

  it('that the device refuses to give is told by the next read, once', async () => {
    const backend = await openOn({ ...swiftshader(), bytes: 2 ** 40, poison: false });
    const one = put(backend, [5]);
    const create = backend.device.createBuffer.bind(backend.device);
    vi.spyOn(backend.device, 'createBuffer').mockImplementationOnce((descriptor) => {
      // What a device that is full does: a buffer that is none, and an error in the scope for it.
      vi.spyOn(backend.device, 'popErrorScope').mockResolvedValueOnce({ message: 'no memory' } as GPUError);
      return create(descriptor);
    });
    backend.allocate(3 * MIB);
    await expect(take(backend, one)).rejects.toThrow(
      new OutOfMemoryError(
        'webgpu: allocate: asked for 3145728 bytes while 4 were held, of which 1099511627776 are allowed, and the device had not ' +
          'as many (no memory). The tensor holds nothing. Free tensors (dispose, using, scope) and make it again.',
      ),
    );
    expect(await take(backend, one)).toEqual([5]);
    await backend.close();
  });
});
