import { reference } from '@heed/reference';
import { describe, expect, it } from 'vitest';
import { ones, zeros } from '../create.ts';
import { tensor } from '../data.ts';
import { checkGradient, freshDevice, leavesNothing, some } from '../device.fixture.ts';
import { createDevice } from '../device.ts';
import { BackendError, DisposedError, GradientError, OutOfMemoryError, ShapeError } from '../errors.ts';
import { add, exp, mul, square, tanh } from '../ops/arithmetic.ts';
import { concat } from '../ops/join.ts';
import { take } from '../ops/lookup.ts';
import { matmul } from '../ops/matmul.ts';
import { pad } from '../ops/pad.ts';
import { max, mean, sum } from '../ops/reductions.ts';
import { softmax } from '../ops/softmax.ts';
import { scope } from '../scope.ts';
import type { Tensor } from '../tensor.ts';
import { gradients } from './gradients.ts';
import { parameter } from './parameter.ts';
import { isRecording, record } from './record.ts';
import { withoutGradients } from './recording.ts';

describe('backward', () => {
  it('follows every way from the loss to a leaf', async () => {
    const device = await freshDevice();
    await checkGradient(
      device,
      (x, w) => {
        const hidden = tanh(matmul(x!, w!));
        return add(mul(hidden, softmax(hidden)), mean(square(x!)));
      },
      [some(device, [2, 3], 1), some(device, [3, 3], 2)],
    );
  });

  it('accumulates on leaves until it is told to forget', async () => {
    const device = await freshDevice();
    const x = parameter(tensor(device, [1, 2]));
    sum(mul(x, 3)).backward();
    sum(square(x)).backward();
    expect(await x.gradient!.toNested()).toEqual([5, 7]);
    x.clearGradient();
    expect(x.gradient).toBeNull();
  });

  it('takes the gradient of what follows', async () => {
    const device = await freshDevice();
    const x = parameter(tensor(device, [1, 2]));
    square(x).backward(tensor(device, [10, 1]));
    expect(await x.gradient!.toNested()).toEqual([20, 4]);
  });

  it('does nothing to what does not depend', async () => {
    const device = await freshDevice();
    const [x, y] = [parameter(ones(device, [])), parameter(ones(device, []))];
    exp(x).backward();
    expect(y.gradient).toBeNull();
  });

  it('plays a graph once, and more often with keep', async () => {
    const device = await freshDevice();
    const x = parameter(tensor(device, 3));
    const loss = square(x);
    loss.backward({ keep: true });
    loss.backward();
    expect(await x.gradient!.item()).toBe(12);
    expect(() => loss.backward()).toThrow(DisposedError);
    expect(() => sum(loss).backward()).toThrow('backward({ keep: true })');
  });

  it('is a leaf of one element itself, if it is a parameter', async () => {
    const device = await freshDevice();
    const x = parameter(tensor(device, 3));
    x.backward();
    expect(await x.gradient!.item()).toBe(1);
  });

  it('reads what it saved, although the user has disposed it', async () => {
    const device = await freshDevice();
    const w = parameter(tensor(device, [2, 3]));
    const x = tensor(device, [5, 7]);
    const product = mul(w, x);
    const loss = sum(product);
    for (const one of [x, product]) one.dispose();
    loss.backward();
    expect(await w.gradient!.toNested()).toEqual([5, 7]);
  });

  it('drops gradients of leaves that have ended', async () => {
    const device = await freshDevice();
    const w = parameter(tensor(device, [2, 3]));
    const loss = scope(device, () => sum(square(w)));
    w.dispose();
    loss.backward();
    loss.dispose();
    expect(device.live.buffers).toBe(0);
  });

  it('passes a recurrence of thousands of steps', async () => {
    const device = await freshDevice();
    await leavesNothing(device, async () => {
      const x = parameter(tensor(device, 1, { dtype: 'float64' }));
      let state: Tensor = x;
      for (let step = 0; step < 5000; step++) state = add(state, 1);
      state.backward();
      expect(await x.gradient!.item()).toBe(1);
    });
  });

  it('frees what was saved: after it is played, and when the result goes unplayed', async () => {
    const device = await freshDevice();
    const x = parameter(some(device, [4]));
    const alone = device.live;
    const played = sum(exp(square(x)));
    played.backward();
    x.clearGradient();
    played.dispose();
    expect(device.live.buffers).toBe(alone.buffers + 2); // the handles of exp and square were never disposed
    await leavesNothing(device, () => {
      scope(device, () => sum(exp(square(x)))).dispose();
    });
  });

  it('undoes its work when a vjp fails', async () => {
    const device = await freshDevice();
    await leavesNothing(device, () => {
      const x = parameter(ones(device, [2]));
      const y = withoutGradients(device, () => square(x));
      record(device, { name: 'broken', inputs: [x], outputs: [y], vjp: () => [zeros(device, [3])] });
      expect(() => sum(y).backward()).toThrow(ShapeError);
      expect(device.current.recording).toBe(true);
    });
  });
});

describe('running out of memory', () => {
  it('at any point leaves nothing behind, and the device usable', async () => {
    let failures = 0;
    for (let bytes = 100; ; bytes += 8) {
      const device = createDevice(await reference({ bytes }).open());
      try {
        const x = parameter(ones(device, [2, 3], { dtype: 'float64' }));
        try {
          scope(device, () => {
            const y = softmax(matmul(x, x, { transposeB: true }), { axis: 0 });
            const joined = concat([
              y.transpose(),
              pad(y, [
                [0, 0],
                [1, 0],
              ]).slice(1, 1),
            ]);
            const rows = take(joined, tensor(device, [0, 2, 2], { dtype: 'int32' }));
            add(sum(max(mul(rows, rows), { axis: 0 })), mean(exp(x.transpose().reshape([6])))).backward();
          });
        } catch (problem) {
          expect(problem).toBeInstanceOf(OutOfMemoryError);
          failures++;
          x.clearGradient();
          expect(device.live).toEqual({ buffers: 1, bytes: 48 });
          expect(await sum(x).item()).toBe(6);
          continue;
        }
        expect(device.live).toEqual({ buffers: 2, bytes: 96 });
        break;
      } finally {
        await device.close();
      }
    }
    expect(failures).toBeGreaterThan(20);
  });
});

describe('record', () => {
  it('is the door for operations with gradients of their own', async () => {
    const device = await freshDevice();
    const doubled = (x: Tensor): Tensor => {
      const out = withoutGradients(device, () => mul(x, 2));
      record(device, {
        name: 'doubled',
        inputs: [x],
        outputs: [out],
        vjp: ([gradient], _, wanted) => {
          expect(wanted).toEqual([true]);
          expect(isRecording(device, [x])).toBe(false);
          return [gradient ? mul(gradient, 2) : null];
        },
      });
      return out;
    };
    await checkGradient(device, (x) => doubled(square(x!)), [some(device, [3])]);
  });

  it('gives null for results that nothing came back to', async () => {
    const device = await freshDevice();
    const x = parameter(ones(device, [2]));
    const [used, unused] = withoutGradients(device, () => [mul(x, 1), mul(x, 5)] as const);
    const seen: boolean[] = [];
    record(device, {
      name: 'pair',
      inputs: [x],
      outputs: [used, unused],
      vjp: (upstream) => {
        seen.push(...upstream.map((one) => one !== null));
        return [upstream[0] as Tensor];
      },
    });
    sum(used).backward();
    expect(seen).toEqual([true, false]);
    expect(await x.gradient!.toNested()).toEqual([1, 1]);
  });
});

describe('withoutGradients', () => {
  it('leaves no trace', async () => {
    const device = await freshDevice();
    const x = parameter(ones(device, [2]));
    expect(withoutGradients(device, () => mul(x, 2)).tracked).toBe(false);
    expect(mul(x, 2).tracked).toBe(true);
    expect(() => withoutGradients(device, async () => mul(x, 2))).toThrow(GradientError);
  });
});

describe('gradients', () => {
  it('gives the value and a gradient for each argument', async () => {
    const device = await freshDevice();
    const [x, y] = [tensor(device, [1, 2]), tensor(device, [3, 4])];
    await leavesNothing(device, async () => {
      const found = gradients((a: Tensor<'float32'>, b: Tensor<'float32'>) => sum(mul(square(a), b)))(x, y);
      expect(await found.value.item()).toBe(19);
      expect(await found.gradients[0].toNested()).toEqual([6, 16]);
      expect(await found.gradients[1].toNested()).toEqual([1, 4]);
      expect(found.value.tracked).toBe(false);
    });
    expect(x.tracked).toBe(false);
  });

  it('gives zeros for arguments that do not matter, and leaves closures alone', async () => {
    const device = await freshDevice();
    const w = parameter(tensor(device, 2));
    const found = gradients((a: Tensor, _: Tensor) => mul(a, w))(tensor(device, 3), tensor(device, [5, 6]));
    expect(await found.gradients[0].item()).toBe(2);
    expect(await found.gradients[1].toNested()).toEqual([0, 0]);
    expect(w.gradient).toBeNull();
    expect(await gradients((a: Tensor) => a.detach())(tensor(device, 3)).gradients[0].item()).toBe(0);
  });

  it('disposes everything else, also when the function throws', async () => {
    const device = await freshDevice();
    const x = tensor(device, [1, 2]);
    await leavesNothing(device, () => {
      const { live } = device;
      expect(() => gradients((a: Tensor) => square(a))(x)).toThrow(ShapeError);
      expect(() =>
        gradients((a: Tensor) => {
          square(a);
          throw new BackendError('no');
        })(x),
      ).toThrow('no');
      expect(device.live).toEqual(live);
      const { value, gradients: each } = gradients((a: Tensor) => sum(exp(square(a))))(x);
      expect(device.live.buffers).toBe(live.buffers + 2);
      for (const one of [value, ...each]) one.dispose();
      expect(device.live).toEqual(live);
    });
  });
});
