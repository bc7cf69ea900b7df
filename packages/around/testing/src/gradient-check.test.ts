import { reference } from '@heed/reference';
import {
  type Device,
  mul,
  openDevice,
  record,
  scope,
  square,
  sum,
  type Tensor,
  tanh,
  tensor,
} from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gradientCheck } from './gradient-check.ts';
import { Random } from './random.ts';

let device: Device;
beforeAll(async () => {
  device = await openDevice(reference());
});
afterAll(() => device.close());

const drawn = (shape: readonly number[], seed = 1): Tensor =>
  tensor(device, new Random(seed).numbers(shape.reduce((all, one) => all * one, 1)), {
    dtype: 'float64',
    shape,
  });

/** x², with a derivative that is wrong by `factor` in the last row. */
const crooked =
  (factor: number) =>
  ({ x }: Readonly<Record<string, Tensor>>): Tensor => {
    const out = square((x as Tensor).detach());
    record(device, {
      name: 'crooked',
      inputs: [x as Tensor],
      outputs: [out],
      vjp: ([upstream]) => {
        const rows = (x as Tensor).shape[0] as number;
        const scale = tensor(
          device,
          Array.from({ length: rows }, (_, i) => [i === rows - 1 ? 2 * factor : 2]),
          { dtype: 'float64' },
        );
        return [mul(mul(upstream as Tensor, (x as Tensor).detach()), scale)];
      },
    });
    return out;
  };

describe('gradientCheck', () => {
  it('passes what is right, and says how near it was', async () => {
    const { worst, checked } = await gradientCheck(({ a, b }) => tanh(mul(a as Tensor, b as Tensor)), {
      a: drawn([2, 3]),
      b: drawn([3], 2),
    });
    expect(checked).toBe(9);
    expect(worst.error).toBeLessThan(worst.allowed);
    expect(worst.allowed).toBeLessThan(1e-6);
  });

  it('names the worst element by input and index', async () => {
    await gradientCheck(crooked(1), { x: drawn([3, 2]) });
    await expect(gradientCheck(crooked(1.0001), { x: drawn([3, 2]) })).rejects.toThrow(
      /^gradient of x\[2, [01]\]: backward\(\) gave .*, central differences give .*: off by .*, allowed/,
    );
  });

  it('finds a missing gradient', async () => {
    const f = ({ x }: Readonly<Record<string, Tensor>>) => sum(square((x as Tensor).detach()));
    await expect(gradientCheck(f, { x: drawn([2]) })).rejects.toThrow(/backward\(\) gave 0/);
  });

  it('leaves nothing behind', async () => {
    const inputs = { x: drawn([2, 2]) };
    const before = device.live;
    await gradientCheck(({ x }) => square(x as Tensor), inputs);
    expect(device.live).toEqual(before);
  });

  it('asks for float64', async () => {
    const narrow = scope(device, () => tensor(device, [1, 2]));
    await expect(gradientCheck(({ x }) => square(x as Tensor), { x: narrow })).rejects.toThrow(
      /"x" must be float64/,
    );
  });
});
