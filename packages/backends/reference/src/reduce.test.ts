import { add, div, index, mul, scalar, sqrt, toFloat } from '@heed/expr';
import type { ReduceProgram, Reduction } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import { Bench, float, int } from './bench.fixture.ts';

const over = (by: Reduction, changes: Partial<ReduceProgram> = {}): ReduceProgram => ({
  kind: 'reduce',
  rank: 1,
  reduced: 2,
  inputs: { a: 'float64' },
  uniforms: {},
  body: float((x) => x('a', scalar)),
  by,
  finish: by.startsWith('arg') ? int((x) => x('total', index)) : float((x) => x('total', scalar)),
  dtype: by.startsWith('arg') ? 'int32' : 'float64',
  ...changes,
});
const all = ['sum', 'max', 'min', 'argmax', 'argmin'] as const;

/** Every reduction of the rows of one input. */
async function reduced(
  shape: readonly number[],
  numbers: readonly number[],
): Promise<Record<Reduction, number[]>> {
  const bench = await Bench.open();
  const found: Partial<Record<Reduction, number[]>> = {};
  for (const by of all) {
    const program = over(by, { reduced: shape.length - 1 });
    const out = { out: shape.slice(0, 1) };
    found[by] = (
      await bench.result(program, { a: bench.full(shape, numbers) }, out, { dtype: program.dtype })
    ).out;
  }
  return found as Record<Reduction, number[]>;
}

describe('reduce', () => {
  it('reduces the last axes, positions counted row-major and the first one taken', async () => {
    expect(await reduced([2, 2, 3], [1, 5, 2, 0, 5, 0, -1, -7, -2, -7, -1, -1])).toEqual({
      sum: [13, -19],
      max: [5, -1],
      min: [0, -7],
      argmax: [1, 0],
      argmin: [3, 1],
    });
  });

  it('lets NaN win, the first one of several', async () => {
    const { sum, max, min, argmax, argmin } = await reduced([1, 4], [1, Number.NaN, 9, Number.NaN]);
    expect([sum[0], max[0], min[0]]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect([argmax[0], argmin[0]]).toEqual([1, 1]);
  });

  it('finds positions among infinities', async () => {
    const { argmax, argmin } = await reduced([2, 2], [-Infinity, -Infinity, Infinity, Infinity]);
    expect([argmax, argmin]).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  it('gives what an empty reduction is', async () => {
    expect(await reduced([2, 0], [])).toEqual({
      sum: [0, 0],
      max: [-Infinity, -Infinity],
      min: [Infinity, Infinity],
      argmax: [-1, -1],
      argmin: [-1, -1],
    });
    expect((await reduced([0, 3], [])).sum).toEqual([]);
  });

  it('computes before and after: a mean, a norm', async () => {
    const bench = await Bench.open();
    const a = bench.full([2, 2], [3, 4, 6, 8]);
    const byRow = { rank: 1, reduced: 1 };
    const mean = float((x) => add(div(x('total', scalar), toFloat(x('count', index))), x('shift', scalar)));
    const shifted = { uniforms: { shift: 0.5 } };
    const means = over('sum', { ...byRow, finish: mean, uniforms: { shift: 'float' } });
    expect(await bench.result(means, { a }, { out: [2] }, shifted)).toEqual({ out: [4, 7.5] });
    const square = float((x) => mul(x('a', scalar), x('a', scalar)));
    const norms = over('sum', { ...byRow, body: square, finish: float((x) => sqrt(x('total', scalar))) });
    expect(await bench.result(norms, { a }, { out: [2] })).toEqual({ out: [5, 10] });
    const columns = { ...a, strides: [1, 2] };
    expect(await bench.result(norms, { a: columns }, { out: [2] })).toEqual({
      out: [Math.sqrt(45), Math.sqrt(80)],
    });
  });
});
