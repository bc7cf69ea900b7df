import { add, index, lt, mul, scalar, select, toFloat } from '@heed/expr';
import { BackendError } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import { Bench, float, int, truth } from './bench.fixture.ts';

const sum = {
  kind: 'map',
  rank: 2,
  inputs: { a: 'float64', b: 'float64' },
  uniforms: {},
  results: { out: { dtype: 'float64', body: float((x) => add(x('a', scalar), x('b', scalar))) } },
} as const;

describe('map', () => {
  it('computes each element, inputs seen through their strides', async () => {
    const bench = await Bench.open();
    const a = bench.full([2, 3], [0, 1, 2, 3, 4, 5]);
    const b = bench.full([4], [10, 20, 30, 40]);
    const column = { ...b, shape: [2, 3], strides: [1, 0], offset: 2 };
    expect(await bench.result(sum, { a, b: column }, { out: [2, 3] })).toEqual({
      out: [30, 31, 32, 43, 44, 45],
    });
    const transposed = { ...a, shape: [3, 2], strides: [1, 3] };
    const reversed = { ...a, shape: [3, 2], strides: [-2, -1], offset: 5 };
    const { out } = await bench.result(sum, { a: transposed, b: reversed }, { out: [3, 2] });
    expect(out).toEqual([0 + 5, 3 + 4, 1 + 3, 4 + 2, 2 + 1, 5 + 0]);
  });

  it('reads coordinates and uniforms, and stores several results in their dtypes', async () => {
    const bench = await Bench.open();
    const outputs = { flat: bench.empty([2, 2], 'int32'), small: bench.empty([2, 2], 'bool') };
    bench.run(
      {
        kind: 'map',
        rank: 2,
        inputs: {},
        uniforms: { scale: 'float', shift: 'int' },
        results: {
          flat: {
            dtype: 'int32',
            body: int((x) => add(add(mul(x('axis0', index), 10), x('axis1', index)), x('shift', index))),
          },
          small: { dtype: 'bool', body: truth((x) => lt(toFloat(x('axis1', index)), x('scale', scalar))) },
        },
      },
      { inputs: {}, outputs, uniforms: { scale: 0.5, shift: 100 } },
    );
    expect(await bench.read(outputs.flat)).toEqual([100, 101, 110, 111]);
    expect(await bench.read(outputs.small)).toEqual([1, 0, 1, 0]);
  });

  it('takes a single element, and none', async () => {
    const bench = await Bench.open();
    const twice = { ...sum, rank: 0 } as const;
    const one = bench.full([], [4]);
    expect(await bench.result(twice, { a: one, b: one }, { out: [] })).toEqual({ out: [8] });
    const none = bench.full([2, 0], []);
    expect(await bench.result(sum, { a: none, b: none }, { out: [2, 0] })).toEqual({ out: [] });
  });

  it('leaves NaN of a branch not taken behind', async () => {
    const bench = await Bench.open();
    const body = float((x) => select(lt(x('a', scalar), 0), x('b', scalar), x('a', scalar)));
    const program = { ...sum, rank: 1, results: { out: { dtype: 'float64', body } } } as const;
    const inputs = { a: bench.full([2], [1, -1]), b: bench.full([2], [Number.NaN, 7]) };
    expect(await bench.result(program, inputs, { out: [2] })).toEqual({ out: [1, 7] });
  });

  it('refuses programs that contradict themselves', async () => {
    const { backend } = await Bench.open();
    const body = float((x) => x('c', scalar));
    const refused = (program: object) => () => backend.compile({ ...sum, ...program });
    expect(refused({ results: { out: { dtype: 'float64', body } } })).toThrow(
      'map: result "out": expected a name among a, b, axis0, axis1, got "c"',
    );
    expect(refused({ inputs: { a: 'int32', b: 'float64' } })).toThrow('"a" to be read as index, got scalar');
    expect(refused({ results: { out: { ...sum.results.out, dtype: 'int32' } } })).toThrow(
      'stored as int32: expected a formula that gives index, got scalar',
    );
    expect(refused({ uniforms: { a: 'float' } })).toThrow(
      'expected every name to mean one thing, got "a" twice',
    );
    expect(refused({ kind: 'dream' })).toThrow(BackendError);
  });
});
