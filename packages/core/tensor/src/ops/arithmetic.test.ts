import * as expr from '@heed/expr';
import { describe, expect, it } from 'vitest';
import { tensor } from '../data.ts';
import { checkGradient, freshDevice, leavesNothing, some } from '../device.fixture.ts';
import { parameter } from '../tape/parameter.ts';
import type { Tensor } from '../tensor.ts';
import * as ops from './arithmetic.ts';
import { cast } from './cast.ts';
import { elementwise } from './elementwise.ts';
import * as logic from './logic.ts';
import { sum } from './reductions.ts';

type Unary = (x: Tensor) => Tensor;
type Binary = (a: Tensor, b: Tensor) => Tensor;

const phi = (x: number) => x * x;
/** The operation, and what it means; on which side of zero it is asked about. */
const unary: Readonly<Record<string, readonly [Unary, (x: number) => number, 'all' | 'positive']>> = {
  neg: [ops.neg, (x) => -x, 'all'],
  abs: [ops.abs, Math.abs, 'all'],
  sign: [ops.sign, Math.sign, 'all'],
  square: [ops.square, phi, 'all'],
  relu: [ops.relu, (x) => Math.max(x, 0), 'all'],
  exp: [ops.exp, Math.exp, 'all'],
  log: [ops.log, Math.log, 'positive'],
  log1p: [ops.log1p, Math.log1p, 'positive'],
  tanh: [ops.tanh, Math.tanh, 'all'],
  sigmoid: [ops.sigmoid, (x) => 1 / (1 + Math.exp(-x)), 'all'],
  sqrt: [ops.sqrt, Math.sqrt, 'positive'],
  rsqrt: [ops.rsqrt, (x) => 1 / Math.sqrt(x), 'positive'],
  floor: [ops.floor, Math.floor, 'all'],
  sin: [ops.sin, Math.sin, 'all'],
  cos: [ops.cos, Math.cos, 'all'],
  clamp: [
    (x) => ops.clamp(x as Tensor<'float64'>, -0.5, 0.5),
    (x) => Math.min(Math.max(x, -0.5), 0.5),
    'all',
  ],
};

const binary: Readonly<Record<string, readonly [Binary, (a: number, b: number) => number]>> = {
  add: [ops.add, (a, b) => a + b],
  sub: [ops.sub, (a, b) => a - b],
  mul: [ops.mul, (a, b) => a * b],
  div: [ops.div, (a, b) => a / b],
  floorDiv: [ops.floorDiv, (a, b) => Math.floor(a / b)],
  mod: [ops.mod, (a, b) => a - b * Math.floor(a / b)],
  maximum: [ops.maximum, Math.max],
  minimum: [ops.minimum, Math.min],
  pow: [(a, b) => ops.pow(ops.add(ops.abs(a), 0.5), b), (a, b) => (Math.abs(a) + 0.5) ** b],
};

const close = (found: ArrayLike<number>, expected: readonly number[]) => {
  expect(found).toHaveLength(expected.length);
  for (const [i, one] of expected.entries()) expect(found[i]).toBeCloseTo(one, 12);
};

describe.each(Object.entries(unary))('%s', (_, [op, meaning, side]) => {
  it('means what its name says', async () => {
    const device = await freshDevice();
    const x = side === 'positive' ? ops.exp(some(device, [2, 3])) : some(device, [2, 3]);
    close(await op(x).read(), [...(await x.read())].map(meaning));
  });

  it('has the gradient of its meaning, and leaves nothing behind', async () => {
    const device = await freshDevice();
    const x = side === 'positive' ? ops.exp(some(device, [2, 3])) : some(device, [2, 3]);
    await checkGradient(device, op as (...all: readonly Tensor[]) => Tensor, [x]);
  });
});

describe.each(Object.entries(binary))('%s', (_, [op, meaning]) => {
  it('means what its name says, broadcast', async () => {
    const device = await freshDevice();
    const [a, b] = [some(device, [2, 3], 1), some(device, [3], 2)];
    const [as, bs] = [await a.read(), await b.read()];
    close(
      await op(a, b).read(),
      [...as].map((one, i) => meaning(one, bs[i % 3]!)),
    );
  });

  it('has the gradient of its meaning, through broadcasts', async () => {
    const device = await freshDevice();
    const f = op as (...all: readonly Tensor[]) => Tensor;
    await checkGradient(device, f, [some(device, [2, 3], 1), some(device, [2, 3], 2)]);
    await checkGradient(device, f, [some(device, [2, 1], 3), some(device, [3], 4)]);
    await checkGradient(device, f, [some(device, [], 5), some(device, [2, 1, 2], 6)]);
  });
});

describe('erf and gelu', () => {
  it('agree with tabulated values (Abramowitz and Stegun, table 7.1)', async () => {
    const device = await freshDevice();
    const x = tensor(device, [0, 0.5, 1, 2], { dtype: 'float64' });
    const erf = await ops.erf(x).read();
    for (const [i, value] of [0, 0.5204998778, 0.8427007929, 0.995322265].entries())
      expect(erf[i]).toBeCloseTo(value, 9);
    expect((await ops.gelu(x).read())[2]).toBeCloseTo(0.8413447461, 9);
  });

  it('have their gradients', async () => {
    const device = await freshDevice();
    await checkGradient(device, (x) => ops.mul(ops.erf(x!), ops.gelu(x!)), [some(device, [5])]);
  });
});

describe('plain numbers', () => {
  it('stand on either side and never make a new kernel', async () => {
    const device = await freshDevice();
    const x = tensor(device, [1, 2]);
    expect(await ops.sub(x, 0.5).toNested()).toEqual([0.5, 1.5]);
    expect(await ops.sub(1, x).toNested()).toEqual([0, -1]);
    expect(await ops.div(6, x).toNested()).toEqual([6, 3]);
    await checkGradient(device, (a) => ops.add(ops.div(3, ops.exp(a!)), ops.mul(a!, 2)), [some(device, [3])]);
  });

  it('keep ints as ints while they are whole', async () => {
    const device = await freshDevice();
    const x = tensor(device, Int32Array.of(5, -5));
    expect(ops.add(x, 2).dtype).toBe('int32');
    expect(await ops.mod(x, 3).toNested()).toEqual([2, 1]);
    expect(await ops.floorDiv(x, 3).toNested()).toEqual([1, -2]);
    expect(ops.mul(x, 0.5).dtype).toBe('float32');
    expect(await ops.mul(x, 0.5).toNested()).toEqual([2.5, -2.5]);
    expect(await ops.div(x, 2).toNested()).toEqual([2.5, -2.5]);
  });
});

describe('promotion', () => {
  it('follows PyTorch: bool, int32, then floats, the wider winning', async () => {
    const device = await freshDevice();
    const of = (dtype: Parameters<typeof cast>[1]) => tensor(device, [1, 0], { dtype });
    const dtypeOf = (a: Parameters<typeof cast>[1], b: Parameters<typeof cast>[1]) =>
      ops.add(of(a) as Tensor, of(b) as Tensor).dtype;
    expect(dtypeOf('bool', 'int32')).toBe('int32');
    expect(dtypeOf('bool', 'bool')).toBe('int32');
    expect(dtypeOf('int32', 'float16')).toBe('float16');
    expect(dtypeOf('float16', 'bfloat16')).toBe('float32');
    expect(dtypeOf('float16', 'float32')).toBe('float32');
    expect(dtypeOf('float32', 'float64')).toBe('float64');
    expect(dtypeOf('int8', 'int32')).toBe('float32');
    expect(dtypeOf('int8', 'float16')).toBe('float16');
    expect(await ops.add(of('bool'), of('bool')).toNested()).toEqual([2, 0]);
    expect(await ops.mul(of('bool'), of('float32')).toNested()).toEqual([1, 0]);
  });
});

describe('conditions', () => {
  it('compare, combine and choose', async () => {
    const device = await freshDevice();
    const [a, b] = [tensor(device, [1, 2, 3]), tensor(device, [2, 2, 2])];
    expect(await logic.lt(a, b).toNested()).toEqual([true, false, false]);
    expect(await logic.le(a, b).toNested()).toEqual([true, true, false]);
    expect(await logic.gt(a, 2).toNested()).toEqual([false, false, true]);
    expect(await logic.ge(2, a).toNested()).toEqual([true, true, false]);
    expect(await logic.equal(a, 2).toNested()).toEqual([false, true, false]);
    expect(await logic.notEqual(a, b).toNested()).toEqual([true, false, true]);
    const [p, q] = [logic.lt(a, 3), logic.gt(a, 1)];
    expect(await logic.logicalAnd(p, q).toNested()).toEqual([false, true, false]);
    expect(await logic.logicalOr(logic.logicalNot(p), logic.logicalNot(q)).toNested()).toEqual([
      true,
      false,
      true,
    ]);
    expect(await logic.where(p, a, b).toNested()).toEqual([1, 2, 2]);
    expect(await logic.where(p, 0, a).toNested()).toEqual([0, 0, 3]);
    expect(await logic.where(p, p, q).toNested()).toEqual([true, true, true]);
    expect(logic.where(p, tensor(device, Int32Array.of(1, 2, 3)), -1).dtype).toBe('int32');
  });

  it('keep what was not chosen out of the gradient', async () => {
    const device = await freshDevice();
    await checkGradient(device, (x) => logic.where(logic.gt(x!, 0), ops.log(ops.abs(x!)), ops.exp(x!)), [
      some(device, [6]),
    ]);
  });

  it('guard within one formula what cannot be guarded across operations', async () => {
    const device = await freshDevice();
    await leavesNothing(device, async () => {
      const at = [0, 4];
      const x = parameter(tensor(device, at, { dtype: 'float64' }));
      sum(elementwise('guarded', (a) => expr.select(expr.gt(a, 0), expr.log(a), 0), [x])).backward();
      expect(await x.gradient!.toNested()).toEqual([0, 0.25]);
      const y = parameter(tensor(device, at, { dtype: 'float64' }));
      sum(logic.where(logic.gt(y, 0), ops.log(y), 0)).backward();
      expect(await y.gradient!.toNested()).toEqual([NaN, 0.25]);
    });
  });
});

describe('cast', () => {
  it('cuts off fractions, asks bools, rounds int8', async () => {
    const device = await freshDevice();
    const x = tensor(device, [1.7, -1.7, 0, 300]);
    expect(await cast(x, 'int32').toNested()).toEqual([1, -1, 0, 300]);
    expect(await cast(x, 'bool').toNested()).toEqual([true, true, false, true]);
    expect(await cast(x, 'int8').toNested()).toEqual([2, -2, 0, 127]);
    expect(await cast(cast(x, 'bool'), 'float32').toNested()).toEqual([1, 1, 0, 1]);
    expect(await cast(tensor(device, 1 / 3), 'float16').item()).toBe(0.333251953125);
  });

  it('passes gradients between floats', async () => {
    const device = await freshDevice();
    await checkGradient(device, (x) => cast(ops.square(x!), 'float64'), [some(device, [3])]);
  });
});
