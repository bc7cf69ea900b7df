import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, vi } from 'vitest';
import { ones } from './create.ts';
import { freshDevice } from './device.fixture.ts';
import { DisposedError } from './errors.ts';
import { add, exp, mul } from './ops/arithmetic.ts';
import { sum } from './ops/reductions.ts';
import { openScope, scope } from './scope.ts';
import { parameter } from './tape/parameter.ts';

describe('scope', () => {
  it('disposes everything but what is returned, in any nesting', async () => {
    const device = await freshDevice();
    const kept = scope(device, () => {
      const x = ones(device, [2]);
      const y = add(x, 1);
      return { list: [y, new Map([['z', mul(y, 2)]])], note: 'text', nothing: null };
    });
    expect(device.live.buffers).toBe(2);
    const [y, rest] = kept.list as [
      (typeof kept.list)[0] & { dispose(): void },
      Map<string, { dispose(): void }>,
    ];
    y.dispose();
    rest.get('z')!.dispose();
    expect(device.live.buffers).toBe(0);
  });

  it('hands results to the scope around it', async () => {
    const device = await freshDevice();
    scope(device, () => {
      const inner = scope(device, () => add(ones(device, [2]), 1));
      expect(inner.disposed).toBe(false);
    });
    expect(device.live.buffers).toBe(0);
  });

  it('leaves alone what was made outside, and what comes back by a view', async () => {
    const device = await freshDevice();
    const x = ones(device, [2, 2]);
    const row = scope(device, () => add(x, 1).slice(0, 0, 1));
    expect(x.disposed).toBe(false);
    expect(await row.toNested()).toEqual([[2, 2]]);
  });

  it('keeps what gradients of its result need', async () => {
    const device = await freshDevice();
    const x = parameter(ones(device, [2]));
    const loss = scope(device, () => sum(exp(mul(x, 2))));
    loss.backward();
    const [first] = await x.gradient!.read();
    expect(first).toBeCloseTo(2 * Math.exp(2), 4);
    loss.dispose();
    x.dispose();
    expect(device.live.buffers).toBe(0);
  });

  it('keeps gradients that arise inside it with their leaf', async () => {
    const device = await freshDevice();
    const x = parameter(ones(device, [2]));
    scope(device, () => {
      sum(mul(x, 2)).backward();
    });
    expect(await x.gradient!.toNested()).toEqual([2, 2]);
    expect(device.live.buffers).toBe(2);
  });

  it('disposes everything when its function throws', async () => {
    const device = await freshDevice();
    const failing = () =>
      scope(device, () => {
        ones(device, [2]);
        throw new Error('on the way');
      });
    expect(failing).toThrow('on the way');
    expect(device.live.buffers).toBe(0);
    expect(device.current.scope).toBeNull();
  });

  it('refuses a function that returns a promise', async () => {
    const device = await freshDevice();
    expect(() => scope(device, async () => ones(device, [2]))).toThrow(DisposedError);
    await Promise.resolve();
    expect(device.live.buffers).toBe(0);
  });
});

describe('openScope', () => {
  it('lasts across awaits', async () => {
    const device = await freshDevice();
    const work = async () => {
      using inside = openScope(device);
      const x = ones(device, [2]);
      await x.read();
      return inside.keep(add(x, 1));
    };
    const y = await work();
    expect(device.live.buffers).toBe(1);
    expect(await y.toNested()).toEqual([2, 2]);
  });

  it('may close in another order than it was opened', async () => {
    const device = await freshDevice();
    const [outer, inner] = [openScope(device), openScope(device)];
    const x = ones(device, [2]);
    outer.close();
    inner.keep(x);
    inner.close();
    expect(x.disposed).toBe(false);
    expect(device.current.scope).toBeNull();
    x.dispose();
    expect(device.live.buffers).toBe(0);
  });
});

describe('the finalizer', () => {
  it('frees what nothing reaches any more', async () => {
    setFlagsFromString('--expose-gc');
    const collect: () => void = runInNewContext('gc');
    const device = await freshDevice();
    (() => void sum(exp(parameter(ones(device, [1000])))))();
    expect(device.live.buffers).toBe(3);
    await vi.waitFor(() => {
      collect();
      expect(device.live.buffers).toBe(0);
    });
  });
});
