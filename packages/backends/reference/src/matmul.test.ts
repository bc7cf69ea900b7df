import { add, mul, scalar } from '@heed/expr';
import type { MatmulProgram } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import { noise } from './attention.fixture.ts';
import { Bench, float } from './bench.fixture.ts';

const plain: MatmulProgram = {
  kind: 'matmul',
  rank: 0,
  a: 'float64',
  b: 'float64',
  inputs: {},
  uniforms: {},
  epilogue: float((x) => x('product', scalar)),
  dtype: 'float64',
};

describe('matmul', () => {
  it('multiplies, transposes being strides', async () => {
    const bench = await Bench.open();
    const a = bench.full([2, 3], [1, 2, 3, 4, 5, 6]);
    const b = bench.full([3, 2], [7, 8, 9, 10, 11, 12]);
    expect(await bench.result(plain, { a, b }, { out: [2, 2] })).toEqual({ out: [58, 64, 139, 154] });
    const turned = { ...a, shape: [3, 2], strides: [1, 3] };
    const { out } = await bench.result(plain, { a: turned, b: a }, { out: [3, 3] });
    expect(out).toEqual([17, 22, 27, 22, 29, 36, 27, 36, 45]);
  });

  it('repeats batches and adds an epilogue that reads tensors and uniforms', async () => {
    const bench = await Bench.open();
    const [left, right, bias] = [noise(2 * 3 * 2, 1), noise(2 * 2, 2), noise(2, 3)];
    const b = { ...bench.full([2, 2], right), shape: [2, 2, 2], strides: [0, 2, 1] };
    const row = { ...bench.full([2], bias), shape: [2, 3, 2], strides: [0, 0, 1] };
    const program: MatmulProgram = {
      ...plain,
      rank: 1,
      inputs: { bias: 'float64' },
      uniforms: { by: 'float' },
      epilogue: float((x) => add(mul(x('product', scalar), x('by', scalar)), x('bias', scalar))),
    };
    const inputs = { a: bench.full([2, 3, 2], left), b, bias: row };
    const { out } = await bench.result(program, inputs, { out: [2, 3, 2] }, { uniforms: { by: 2 } });
    for (let i = 0; i < 6; i++) {
      for (let j = 0; j < 2; j++) {
        const product = left[i * 2]! * right[j]! + left[i * 2 + 1]! * right[2 + j]!;
        expect(out[i * 2 + j]).toBeCloseTo(product * 2 + bias[j]!, 14);
      }
    }
  });

  it('sums nothing to zero, and takes other sizes of zero', async () => {
    const bench = await Bench.open();
    const empty = (shape: number[]) => bench.full(shape, []);
    const zeros = await bench.result(plain, { a: empty([2, 0]), b: empty([0, 2]) }, { out: [2, 2] });
    expect(zeros).toEqual({ out: [0, 0, 0, 0] });
    const none = await bench.result(
      plain,
      { a: empty([0, 3]), b: bench.full([3, 1], [1, 2, 3]) },
      { out: [0, 1] },
    );
    expect(none).toEqual({ out: [] });
  });

  it('refuses shapes that do not fit', async () => {
    const bench = await Bench.open();
    const inputs = { a: bench.full([1, 2], [1, 2]), b: bench.full([1, 2], [1, 2]) };
    await expect(bench.result(plain, inputs, { out: [1, 2] })).rejects.toThrow(
      'matmul: input "b": expected [batch..., inner, columns] = [2, 2], got [1, 2]',
    );
  });
});
