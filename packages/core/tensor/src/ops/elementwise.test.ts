import * as e from '@heed/expr';
import { describe, expect, it } from 'vitest';
import type { Backend } from '../contract/backend.ts';
import { tensor } from '../data.ts';
import { checkGradient, freshDevice, leavesNothing, some } from '../device.fixture.ts';
import type { Device } from '../device.ts';
import { parameter } from '../tape/parameter.ts';
import type { Tensor } from '../tensor.ts';
import { elementwise, type Formula } from './elementwise.ts';
import { sum } from './reductions.ts';

type Two = readonly [Tensor, Tensor];
const gated: Formula<Two, 'scale'> = (x, gate, { uniforms: { scale } }) =>
  e.mul(e.mul(e.tanh(x), e.sigmoid(gate)), scale);
const weighed: Formula<Two> = (x, y, { axis }) => e.add(e.mul(x, e.toFloat(axis(1))), e.mul(y, e.exp(x)));

/** The kernels that a device asked its backend for. */
function compiled(device: Device): string[] {
  const kinds: string[] = [];
  const { backend } = device as { backend: Backend };
  const compile = backend.compile.bind(backend);
  backend.compile = (program) => {
    kinds.push(program.kind);
    return compile(program);
  };
  return kinds;
}

describe('elementwise', () => {
  it('runs a formula in one map', async () => {
    const device = await freshDevice();
    const kinds = compiled(device);
    const [x, y] = [tensor(device, [0, 1]), tensor(device, [[0], [2]])];
    const out = elementwise('gated', gated, [x, y], { uniforms: { scale: 10 } });
    const [first, second] = (await out.toNested()) as number[][];
    expect(first![0]).toBe(0);
    expect(second![1]).toBeCloseTo((10 * Math.tanh(1)) / (1 + Math.exp(-2)), 5);
    expect(kinds).toEqual(['map']);
  });

  it('compiles once for all uniforms, shapes and backward passes of a kind', async () => {
    const device = await freshDevice();
    const kinds = compiled(device);
    for (const scale of [1, 2, 3]) {
      const [x, y] = [parameter(some(device, [scale, 2])), some(device, [scale, 2])];
      sum(elementwise('gated', gated, [x, y], { uniforms: { scale } })).backward();
    }
    // normal, gated, sum, ones, gradient
    expect(kinds).toEqual(['map', 'map', 'reduce', 'map', 'map']);
  });

  it('derives the gradient of the formula', async () => {
    const device = await freshDevice();
    const options = { uniforms: { scale: 1.5 } };
    await checkGradient(device, (x, y) => elementwise('gated', gated, [x!, y!], options), [
      some(device, [2, 3], 1),
      some(device, [2, 3], 2),
    ]);
    await checkGradient(device, (x, y) => elementwise('gated', gated, [x!, y!], options), [
      some(device, [1, 3], 1),
      some(device, [2, 1], 2),
    ]);
  });

  it('knows where it is, through broadcasts and backward too', async () => {
    const device = await freshDevice();
    await checkGradient(device, (x, y) => elementwise('weighed', weighed, [x!, y!]), [
      some(device, [1, 3], 1),
      some(device, [2, 1], 2),
    ]);
  });

  it('gives what the formula gives, as the dtype that is asked for', async () => {
    const device = await freshDevice();
    const x = tensor(device, Int32Array.of(1, 2));
    expect(elementwise('bigger', (a) => e.gt(a, 1), [x]).dtype).toBe('bool');
    expect(elementwise('twice', (a) => e.mul(a, 2), [x]).dtype).toBe('int32');
    expect(elementwise('half', (a) => e.mul(e.toFloat(a), 0.5), [x], { dtype: 'float64' }).dtype).toBe(
      'float64',
    );
    expect(
      await elementwise('shifted', (a, { integers: { by } }) => e.add(a, by), [x], {
        integers: { by: 40 },
      }).toNested(),
    ).toEqual([41, 42]);
  });

  it('saves the operands only that the gradient reads', async () => {
    const device = await freshDevice();
    await leavesNothing(device, () => {
      const x = parameter(some(device, [3]));
      const y = some(device, [3]);
      const out = elementwise('sum', (a, b) => e.add(a, b), [x, y]);
      y.dispose();
      expect(device.live.buffers).toBe(2);
      out.dispose();
      expect(device.live.buffers).toBe(1);
    });
  });
});
