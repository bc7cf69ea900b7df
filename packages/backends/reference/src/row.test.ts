import { div, exp, index, mul, scalar, sub, toFloat } from '@heed/expr';
import type { RowProgram } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import { Bench, float } from './bench.fixture.ts';

const shifted = float((x) => exp(sub(x('a', scalar), x('most', scalar))));
const softmax: RowProgram = {
  kind: 'row',
  rank: 1,
  inputs: { a: 'float64' },
  uniforms: {},
  reductions: [
    { name: 'most', by: 'max', body: float((x) => x('a', scalar)) },
    { name: 'total', by: 'sum', body: shifted },
  ],
  results: {
    out: {
      per: 'element',
      dtype: 'float64',
      body: float((x) => div(exp(sub(x('a', scalar), x('most', scalar))), x('total', scalar))),
    },
    mean: {
      per: 'row',
      dtype: 'float64',
      body: float((x) => div(x('total', scalar), toFloat(x('length', index)))),
    },
  },
};

describe('row', () => {
  it('reduces in order, each reading those before it, then maps', async () => {
    const bench = await Bench.open();
    const a = bench.full([3, 2], [0, 1000, 1000, 0, 0, 1000]);
    const columns = { ...a, shape: [2, 3], strides: [1, 2] };
    expect(await bench.result(softmax, { a }, { out: [3, 2], mean: [3] })).toEqual({
      out: [0, 1, 1, 0, 0, 1],
      mean: [0.5, 0.5, 0.5],
    });
    const third = 1 / 3;
    const { mean, out } = await bench.result(softmax, { a: columns }, { out: [2, 3], mean: [2] });
    expect(out).toEqual([0, 1, 0, 0.5, 0, 0.5].map((one, i) => (i === 1 ? 1 : one)));
    expect(mean).toEqual([third, 2 / 3]);
  });

  it('gives rows of no length what empty reductions are', async () => {
    const bench = await Bench.open();
    const program: RowProgram = {
      ...softmax,
      results: {
        most: { per: 'row', dtype: 'float32', body: float((x) => mul(x('most', scalar), x('by', scalar))) },
      },
      uniforms: { by: 'float' },
    };
    const call = { uniforms: { by: 2 }, dtype: 'float32' } as const;
    const found = await bench.result(program, { a: bench.full([2, 0], []) }, { most: [2] }, call);
    expect(found).toEqual({ most: [-Infinity, -Infinity] });
  });

  it('refuses a result for a row that reads elements, and a reduction that reads a later one', async () => {
    const { backend } = await Bench.open();
    const body = float((x) => x('a', scalar));
    const results = { out: { per: 'row', dtype: 'float64', body } } as const;
    expect(() => backend.compile({ ...softmax, results })).toThrow(
      'row: result "out": expected a name among length, most',
    );
    const reductions = softmax.reductions.toReversed();
    expect(() => backend.compile({ ...softmax, reductions })).toThrow(
      'row: reduction "total": expected a name among',
    );
  });
});
