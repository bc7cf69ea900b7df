import { ValueError } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import { Bench } from './bench.fixture.ts';

const gather = { kind: 'gather', outer: 1, inner: 1, dtype: 'float64' } as const;
const scatter = { kind: 'scatter-add', outer: 1, inner: 1, dtype: 'float64' } as const;

describe('gather', () => {
  it('takes along one axis, through strides', async () => {
    const bench = await Bench.open();
    const data = bench.full([2, 3, 2], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    const index = bench.full([4], [2, 0, 1, 1], 'int32');
    const repeated = { ...index, shape: [2, 2, 2], strides: [2, 1, 0] };
    const { out } = await bench.result(gather, { data, index: repeated }, { out: [2, 2, 2] });
    expect(out).toEqual([4, 5, 0, 1, 8, 9, 8, 9]);
    const swapped = { ...data, shape: [2, 2, 3], strides: [6, 1, 2] };
    const each = { ...index, shape: [2, 1, 3], strides: [0, 0, 1], offset: 1 };
    expect((await bench.result(gather, { data: swapped, index: each }, { out: [2, 1, 3] })).out).toEqual([
      0, 3, 5, 6, 9, 11,
    ]);
  });

  it('gives zero for an index outside, which the next read reports once', async () => {
    const bench = await Bench.open();
    const one = { ...gather, outer: 0, inner: 0 } as const;
    const data = bench.full([3], [5, 6, 7]);
    const out = bench.empty([4]);
    bench.run(one, { inputs: { data, index: bench.full([4], [1, 3, -1, 2], 'int32') }, outputs: { out } });
    const problem = await bench.read(out).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(ValueError);
    expect((problem as Error).message).toBe(
      'gather: expected an index in [0, 3), got 3 as element 1 of index [4].',
    );
    expect(await bench.read(out)).toEqual([6, 0, 0, 7]);
  });

  it('reads nothing from a table without entries', async () => {
    const bench = await Bench.open();
    const inputs = { data: bench.full([1, 0, 2], []), index: bench.full([1, 0, 2], [], 'int32') };
    expect(await bench.result(gather, inputs, { out: [1, 0, 2] })).toEqual({ out: [] });
  });
});

describe('scatter-add', () => {
  it('adds onto what is there, as often as an index says', async () => {
    const bench = await Bench.open();
    const out = bench.full([1, 3, 2], [100, 200, 300, 400, 500, 600]);
    const index = { ...bench.full([3], [2, 0, 2], 'int32'), shape: [1, 3, 2], strides: [0, 1, 0] };
    const source = bench.full([1, 3, 2], [1, 2, 3, 4, 5, 6]);
    bench.run(scatter, { inputs: { source, index }, outputs: { out } });
    expect(await bench.read(out)).toEqual([103, 204, 300, 400, 506, 608]);
  });

  it('adds nothing for an index outside, which the next read reports', async () => {
    const bench = await Bench.open();
    const out = bench.full([1, 1, 1], [1]);
    const inputs = { source: bench.full([1, 2, 1], [5, 7]), index: bench.full([1, 2, 1], [1, 0], 'int32') };
    bench.run(scatter, { inputs, outputs: { out } });
    await expect(bench.read(out)).rejects.toThrow(
      'scatter-add: expected an index in [0, 1), got 1 as element 0',
    );
    expect(await bench.read(out)).toEqual([8]);
  });

  it('is the transpose of gather', async () => {
    const bench = await Bench.open();
    const one = { outer: 0, inner: 0, dtype: 'float64' } as const;
    const index = bench.full([4], [0, 2, 2, 1], 'int32');
    const [x, y] = [
      [3, 5, 7],
      [1, -1, 2, 4],
    ];
    const { out } = await bench.result(
      { kind: 'gather', ...one },
      { data: bench.full([3], x), index },
      { out: [4] },
    );
    const back = bench.full([3], [0, 0, 0]);
    bench.run(
      { kind: 'scatter-add', ...one },
      { inputs: { source: bench.full([4], y), index }, outputs: { out: back } },
    );
    const inner = (a: number[], b: number[]) => a.reduce((sum, one, i) => sum + one * b[i]!, 0);
    expect(inner(out, y)).toBe(inner(x, await bench.read(back)));
  });
});
