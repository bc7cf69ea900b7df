import { describe, expect, it } from 'vitest';
import { arange, ones } from './create.ts';
import { tensor } from './data.ts';
import { checkGradient, freshDevice, leavesNothing, some } from './device.fixture.ts';
import { dispose } from './dispose.ts';
import { add, mul } from './ops/arithmetic.ts';
import { sum } from './ops/reductions.ts';
import { parameter } from './tape/parameter.ts';
import type { Tensor } from './tensor.ts';

const counted = async (shape: readonly number[]) => {
  const device = await freshDevice();
  const size = shape.reduce((all, one) => all * one, 1);
  return { device, x: arange(device, size).reshape(shape) };
};

describe('views', () => {
  it('share memory and read as NumPy reads', async () => {
    const { device, x } = await counted([2, 3]);
    const { buffers } = device.live;
    expect(await x.transpose().toNested()).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
    expect(await x.permute([1, 0]).toNested()).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
    expect(await x.slice(1, 1).toNested()).toEqual([
      [1, 2],
      [4, 5],
    ]);
    expect(await x.slice(1, 0, 3, 2).toNested()).toEqual([
      [0, 2],
      [3, 5],
    ]);
    expect(await x.slice(-1, -2, -1).toNested()).toEqual([[1], [4]]);
    expect(await x.slice(0, 1, 2).squeeze().toNested()).toEqual([3, 4, 5]);
    expect(await x.unsqueeze(1).expand([2, 2, 3]).toNested()).toEqual([
      [
        [0, 1, 2],
        [0, 1, 2],
      ],
      [
        [3, 4, 5],
        [3, 4, 5],
      ],
    ]);
    expect(await x.reshape([-1, 2]).toNested()).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
    expect(x.unsqueeze(-1).shape).toEqual([2, 3, 1]);
    expect(device.live.buffers).toBe(buffers);
  });

  it('copy only where strides cannot express the shape', async () => {
    const { device, x } = await counted([2, 3]);
    const { buffers } = device.live;
    const flat = x.transpose().reshape([6]);
    expect(device.live.buffers).toBe(buffers + 1);
    expect(await flat.toNested()).toEqual([0, 3, 1, 4, 2, 5]);
  });

  it('are empty where a slice is', async () => {
    const { x } = await counted([2, 3]);
    expect(await x.slice(1, 2, 1).toNested()).toEqual([[], []]);
    expect(x.slice(0, 2).shape).toEqual([0, 3]);
  });

  it('outlive what they are views of', async () => {
    const { device, x } = await counted([2, 3]);
    const row = x.slice(0, 1);
    x.dispose();
    expect(await row.toNested()).toEqual([[3, 4, 5]]);
    row.dispose();
    expect(device.live.bytes).toBe(24); // the list that x was reshaped from
  });

  const cases: Readonly<Record<string, (x: Tensor) => Tensor>> = {
    reshape: (x) => x.reshape([4, -1]),
    'reshape of a transposed tensor': (x) => x.transpose(0, 2).reshape([-1, 2]),
    transpose: (x) => x.transpose(0, 1),
    permute: (x) => x.permute([2, 0, 1]),
    slice: (x) => x.slice(2, 1, 4, 2),
    'an empty slice': (x) => x.slice(0, 1, 1),
    expand: (x) => x.unsqueeze(0).expand([3, 2, 3, 4]),
    'expand of an inner axis': (x) => x.slice(1, 1, 2).expand([2, 5, 4]),
    squeeze: (x) => x.slice(1, 1, 2).squeeze(1),
    unsqueeze: (x) => x.unsqueeze(-2),
  };
  for (const [name, view] of Object.entries(cases)) {
    it(`pass gradients: ${name}`, async () => {
      const device = await freshDevice();
      await checkGradient(device, view as (...inputs: readonly Tensor[]) => Tensor, [
        some(device, [2, 3, 4]),
      ]);
    });
  }
});

describe('reading', () => {
  it('gives rows after rows, whatever the strides', async () => {
    const { x } = await counted([2, 3]);
    expect(await x.transpose().read()).toEqual(Int32Array.of(0, 3, 1, 4, 2, 5));
    expect(await x.slice(0, 1).read()).toEqual(Int32Array.of(3, 4, 5));
  });

  it('goes on when the tensor is disposed meanwhile', async () => {
    const { device, x } = await counted([2]);
    const both = add(x, 1);
    const reading = both.read();
    both.dispose();
    expect(await reading).toEqual(Int32Array.of(1, 2));
    expect(device.live.buffers).toBe(1);
  });

  it('gives one element, as a number or a boolean', async () => {
    const device = await freshDevice();
    expect(await tensor(device, 2.5).item()).toBe(2.5);
    expect(await tensor(device, [true]).item()).toBe(true);
    expect(await tensor(device, 7).toNested()).toBe(7);
  });

  it('widens floats of 16 bits', async () => {
    const device = await freshDevice();
    for (const dtype of ['float16', 'bfloat16'] as const) {
      expect(await tensor(device, [1.5, -2], { dtype }).read()).toEqual(Float32Array.of(1.5, -2));
    }
  });
});

describe('a tensor', () => {
  it('says what it is', async () => {
    const { x } = await counted([2, 3]);
    expect(String(x)).toBe('Tensor(int32 [2, 3])');
    expect([x.rank, x.size, x.strides, x.offset]).toEqual([2, 6, [3, 1], 0]);
    const p = parameter(ones(x.device, []));
    expect(String(p)).toBe('Tensor(float32 [], tracked)');
    p.dispose();
    expect(String(p)).toBe('Tensor(float32 [], disposed)');
  });

  it('ends with its block', async () => {
    const device = await freshDevice();
    await leavesNothing(device, () => {
      using x = ones(device, [2]);
      expect(x.disposed).toBe(false);
    });
    const x = ones(device, [2]);
    x[dispose]();
    x.dispose();
    expect(device.live).toEqual({ buffers: 0, bytes: 0 });
  });

  it('takes over another value, while graphs keep the old one', async () => {
    const device = await freshDevice();
    const p = parameter(tensor(device, [2, 3], { dtype: 'float64' }));
    const loss = sum(mul(p, p));
    p.assign(tensor(device, [10, 20, 30], { dtype: 'float64' }).slice(0, 1));
    expect(await p.toNested()).toEqual([20, 30]);
    loss.backward();
    expect(await p.gradient!.toNested()).toEqual([4, 6]);
    expect(p.tracked).toBe(true);
  });
});
