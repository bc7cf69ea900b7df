import { type GatherProgram, type ScatterAddProgram, ValueError } from '@heed/tensor';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lays, numbers, type Placed, place, product, type Stored } from '../../trials/pair.fixture.ts';
import { CpuBackend } from './device/backend.ts';
import { machine, machines } from './emit/math/arrays.fixture.ts';
import { openPair } from './pair.fixture.ts';

const storage = fc.constantFrom<Stored>('float32', 'float16', 'bfloat16', 'int8', 'int32', 'bool');

const setting = fc
  .tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 }))
  .chain(([outer, inner]) => {
    const rank = outer + 1 + inner;
    return fc.record({
      outer: fc.constant(outer),
      inner: fc.constant(inner),
      shape: fc.array(fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 20 })), {
        minLength: rank,
        maxLength: rank,
      }),
      n: fc.integer({ min: 1, max: 9 }),
      dtype: storage,
      lays: fc.tuple(lays(rank, true), lays(rank, true), lays(rank, false)),
      // Whole rows share an index, as in an embedding.
      embedding: fc.boolean(),
    });
  });

/** Indices of a view, each place of memory holding the same whoever reads it. */
const indices = (count: number, n: number): number[] =>
  numbers(count, 3).map((x) => (Math.floor(Math.abs(x) * 1000) % n) / 10);

const indexOf = (
  shape: readonly number[],
  outer: number,
  lay: Parameters<typeof place>[2],
  embedding: boolean,
): Placed =>
  place('int32', shape, embedding ? { ...lay, repeat: shape.map((_, axis) => axis !== outer) } : lay);

describe.each(machines)('gather, relaxed $relaxed', (on) => {
  it('agrees with the reference over any shapes, strides and dtypes', async () => {
    const pair = await openPair(on);
    await fc.assert(
      fc.asyncProperty(setting, async ({ outer, inner, shape, n, dtype, lays: [ld, li, lo], embedding }) => {
        const program: GatherProgram = { kind: 'gather', outer, inner, dtype };
        const data = place(dtype, shape.with(outer, n), ld);
        await pair.agree(
          program,
          {
            data: [data, numbers(331, 1)],
            index: [indexOf(shape, outer, li, embedding), indices(product(shape), n)],
          },
          { out: place(dtype, shape, lo) },
          { tolerance: 0 },
        );
      }),
      { numRuns: 150 },
    );
  });

  it('adds where scattered, in any dtype', async () => {
    const pair = await openPair(on);
    await fc.assert(
      fc.asyncProperty(setting, async ({ outer, inner, shape, n, dtype, lays: [ls, li, lo], embedding }) => {
        const program: ScatterAddProgram = { kind: 'scatter-add', outer, inner, dtype };
        const out = place(dtype, shape.with(outer, n), lo);
        await pair.agree(
          program,
          {
            source: [place(dtype, shape, ls), numbers(331, 1)],
            index: [indexOf(shape, outer, li, embedding), indices(product(shape), n)],
          },
          { out: [out, numbers(101, 7)] },
        );
      }),
      { numRuns: 150 },
    );
  });
});

describe('an index outside its axis', () => {
  it('gives zero, adds nothing, and is what the next read rejects with, once', async () => {
    const backend = new CpuBackend({ machine, bytes: 2 ** 20, poison: true, checked: true });
    const put = (values: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>) => {
      const allocation = backend.allocate(values.byteLength);
      backend.write(allocation, new Uint8Array(values.buffer));
      return {
        allocation,
        dtype: values instanceof Int32Array ? ('int32' as const) : ('float32' as const),
        shape: [values.length],
        strides: [1],
        offset: 0,
      };
    };
    const index = put(Int32Array.from([1, 3, -1]));
    const data = put(Float32Array.from([10, 20, 30]));
    const out = put(Float32Array.from([9, 9, 9]));
    const read = async () => [...new Float32Array((await backend.read(out.allocation, 0, 12)).buffer)];
    backend.run(backend.compile({ kind: 'gather', outer: 0, inner: 0, dtype: 'float32' }), {
      inputs: { data, index },
      outputs: { out },
      uniforms: {},
      sizes: {},
    });
    await expect(read()).rejects.toThrow(
      new ValueError('gather: expected an index in [0, 3), got 3 as element 1 of index [3].'),
    );
    expect(await read()).toEqual([20, 0, 0]);
    backend.run(backend.compile({ kind: 'scatter-add', outer: 0, inner: 0, dtype: 'float32' }), {
      inputs: { source: data, index },
      outputs: { out },
      uniforms: {},
      sizes: {},
    });
    await expect(read()).rejects.toThrow('scatter-add: expected an index in [0, 3), got 3 as element 1');
    expect(await read()).toEqual([20, 10, 0]);
  });
});
