import { reference } from '@heed/reference';
import { describe, expect, it } from 'vitest';
import type { Backend } from './contract/backend.ts';
import { ones } from './create.ts';
import { tensor } from './data.ts';
import { freshDevice } from './device.fixture.ts';
import { createDevice, openDevice } from './device.ts';
import { allocate, dispatch } from './dispatch.ts';
import { BackendError, DisposedError, OutOfMemoryError } from './errors.ts';
import { add } from './ops/arithmetic.ts';
import { copyInto } from './ops/copy.ts';

describe('a device', () => {
  it('counts what is alive', async () => {
    const device = await freshDevice();
    expect(device.name).toBe('reference');
    const x = ones(device, [3]);
    const view = x.slice(0, 1);
    expect(device.live).toEqual({ buffers: 1, bytes: 12 });
    x.dispose();
    expect(device.live).toEqual({ buffers: 1, bytes: 12 });
    view.dispose();
    expect(device.live).toEqual({ buffers: 0, bytes: 0 });
  });

  it('ends once, and says so to whoever goes on', async () => {
    const device = await openDevice(reference());
    const x = ones(device, [3]);
    await device.close();
    await device.close();
    expect(() => add(x, 1)).toThrow(DisposedError);
    expect(() => ones(device, [1])).toThrow('closed');
    x.dispose();
    expect(device.live).toEqual({ buffers: 0, bytes: 0 });
  });

  it('ends with its block', async () => {
    let closed: boolean | undefined;
    {
      await using device = createDevice(await reference().open());
      closed = device.closed;
      expect(closed).toBe(false);
      await using other = device;
      expect(other).toBe(device);
    }
  });

  it('is as usable as before when memory runs out', async () => {
    const device = createDevice(await reference({ bytes: 100 }).open());
    const x = ones(device, [10]);
    expect(() => ones(device, [100])).toThrow(OutOfMemoryError);
    const { live } = device;
    expect(() => x.unsqueeze(0).expand([3, 10]).reshape([30])).toThrow(OutOfMemoryError);
    expect(device.live).toEqual(live);
    expect(await add(x, 1).slice(0, 0, 1).toNested()).toEqual([2]);
    await device.close();
  });

  it('refuses what its backend does not support, with the reason', async () => {
    const backend = await reference().open();
    const limits = { ...backend.limits, dtypes: ['float32'] as const };
    const device = createDevice(
      new Proxy(backend, {
        get(target, name: keyof Backend) {
          const changed: Partial<Backend> = {
            name: 'small',
            limits,
            supports: () => ({ reason: 'it runs nothing at all.' }),
          };
          const value = changed[name] ?? target[name];
          return typeof value === 'function' ? value.bind(target) : value;
        },
      }),
    );
    expect(() => tensor(device, Float64Array.of(1))).toThrow(BackendError);
    const x = tensor(device, [1]);
    expect(() => add(x, x)).toThrow('add: the device "small" cannot run this: it runs nothing at all.');
    await device.close();
  });
});

describe('dispatch', () => {
  it('writes into views of larger tensors', async () => {
    const device = await freshDevice();
    const whole = allocate(device, 'test', [2, 2], 'float32');
    copyInto('test', tensor(device, [1, 2]), whole.slice(1, 0, 1).squeeze(1));
    copyInto('test', tensor(device, [3, 4]), whole.slice(1, 1, 2).squeeze(1));
    expect(await whole.toNested()).toEqual([
      [1, 3],
      [2, 4],
    ]);
  });

  it('refuses tensors of other devices', async () => {
    const [one, other] = [await freshDevice(), await freshDevice()];
    expect(() => add(ones(one, [1]), ones(other, [1]))).toThrow(BackendError);
  });

  it('launches nothing for empty results', async () => {
    const device = await freshDevice();
    const none = ones(device, [0, 3]);
    expect(await add(none, none).toNested()).toEqual([]);
    const program = { kind: 'gather', outer: 0, inner: 0, dtype: 'float32' } as const;
    const { out } = dispatch(device, program, {
      inputs: { data: ones(device, [2]), index: ones(device, [0], { dtype: 'int32' }) },
      results: { out: { shape: [0], dtype: 'float32' } },
    });
    expect(out.size).toBe(0);
  });
});
