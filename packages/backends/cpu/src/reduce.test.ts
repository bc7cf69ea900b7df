import * as e from '@heed/expr';
import type { ReduceProgram, RowProgram } from '@heed/tensor';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dense, lays, numbers, type Placed, place, type Stored } from '../../trials/pair.fixture.ts';
import { CpuBackend } from './device/backend.ts';
import { machines } from './emit/math/arrays.fixture.ts';
import { openPair } from './pair.fixture.ts';

const { scalar, index, trace } = e;

const storage = fc.constantFrom<Stored>('float32', 'float32', 'float16', 'int8');
const shapeOf = (length: number) =>
  fc.array(fc.oneof(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 1, max: 50 })), {
    minLength: length,
    maxLength: length,
  });

describe.each(machines)('reduce, relaxed $relaxed', (machine) => {
  it.each(['sum', 'max', 'min', 'argmax', 'argmin'] as const)(
    '%s agrees with the reference over any shapes and strides',
    async (by) => {
      const pair = await openPair(machine);
      const arg = by === 'argmax' || by === 'argmin';
      await fc.assert(
        fc.asyncProperty(
          fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 1, max: 2 })).chain(([rank, reduced]) =>
            fc.record({
              rank: fc.constant(rank),
              shape: shapeOf(rank + reduced),
              dtypes: fc.tuple(storage, storage),
              lays: fc.tuple(lays(rank + reduced, true), lays(rank + reduced, true), lays(rank, false)),
              strange: fc.boolean(),
            }),
          ),
          async ({ rank, shape, dtypes: [a, b], lays: [la, lb, lo], strange }) => {
            const program: ReduceProgram = {
              kind: 'reduce',
              rank,
              reduced: shape.length - rank,
              inputs: { a, b },
              uniforms: { factor: 'float' },
              // Only comparisons of what was stored: computed numbers may tie in float32 and not in float64.
              body: trace('test', scalar, (x) =>
                arg
                  ? e.select(e.lt(x('b', scalar), 5), x('a', scalar), 0)
                  : e.mul(x('a', scalar), x('b', scalar)),
              ),
              by,
              finish: arg
                ? trace('test', index, (x) => e.add(e.mul(x('total', index), 2), x('count', index)))
                : trace('test', scalar, (x) =>
                    e.add(e.mul(x('total', scalar), x('factor', scalar)), x('count', index)),
                  ),
              dtype: arg ? 'int32' : 'float32',
            };
            const odd = strange && a !== 'int8' && (by !== 'sum' || rank === 0);
            await pair.agree(
              program,
              {
                a: [place(a, shape, la), numbers(211, 1, odd)],
                b: [place(b, shape, lb), numbers(197, 2).map((x) => x / 4)],
              },
              { out: place(arg ? 'int32' : 'float32', shape.slice(0, rank), lo) },
              { uniforms: { factor: 0.5 }, tolerance: 3e-5 },
            );
          },
        ),
        { numRuns: 80 },
      );
    },
  );

  it('adds a million numbers with the error of a few', async () => {
    const backend = new CpuBackend({ machine, bytes: 2 ** 28, poison: false, checked: true });
    const program: ReduceProgram = {
      kind: 'reduce',
      rank: 0,
      reduced: 1,
      inputs: { a: 'float32' },
      uniforms: {},
      body: trace('test', scalar, (x) => x('a', scalar)),
      by: 'sum',
      finish: trace('test', scalar, (x) => x('total', scalar)),
      dtype: 'float32',
    };
    const values = Float32Array.from({ length: 1_000_003 }, (_, i) => 0.1 + (i % 7) * 0.01);
    const exact = values.reduce((sum, value) => sum + value, 0);
    const a = backend.allocate(values.byteLength);
    const out = backend.allocate(4);
    backend.write(a, new Uint8Array(values.buffer));
    backend.run(backend.compile(program), {
      inputs: { a: { allocation: a, dtype: 'float32', shape: [values.length], strides: [1], offset: 0 } },
      outputs: { out: { allocation: out, dtype: 'float32', shape: [], strides: [], offset: 0 } },
      uniforms: {},
      sizes: {},
    });
    const found = new Float32Array((await backend.read(out, 0, 4)).buffer)[0] as number;
    expect(Math.abs(found - exact) / exact).toBeLessThan(2e-7);
  });
});

describe.each(machines)('row, relaxed $relaxed', (machine) => {
  it('agrees with the reference on softmax, layer norm and log-sum-exp over any shapes and strides', async () => {
    const pair = await openPair(machine);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 2 }).chain((rank) =>
          fc.record({
            rank: fc.constant(rank),
            shape: fc
              .tuple(
                fc.array(fc.integer({ min: 0, max: 6 }), { minLength: rank, maxLength: rank }),
                fc.integer({ min: 1, max: 90 }),
              )
              .map(([rows, length]) => [...rows, length]),
            lays: fc.tuple(
              lays(rank + 1, true),
              lays(rank + 1, true),
              lays(rank + 1, false),
              lays(rank, false),
            ),
            dtype: storage,
          }),
        ),
        async ({ rank, shape, lays: [la, lb, lo, lr], dtype }) => {
          const a = (x: e.Declare) => e.mul(x('a', scalar), x('scale', scalar));
          const program: RowProgram = {
            kind: 'row',
            rank,
            inputs: { a: dtype, b: 'float32' },
            uniforms: { scale: 'float' },
            reductions: [
              { name: 'most', by: 'max', body: trace('test', scalar, a) },
              {
                name: 'total',
                by: 'sum',
                body: trace('test', scalar, (x) => e.exp(e.sub(a(x), x('most', scalar)))),
              },
              {
                name: 'least',
                by: 'min',
                body: trace('test', scalar, (x) => e.div(x('b', scalar), x('length', index))),
              },
            ],
            results: {
              weights: {
                per: 'element',
                dtype: 'float32',
                body: trace('test', scalar, (x) =>
                  e.div(e.exp(e.sub(a(x), x('most', scalar))), x('total', scalar)),
                ),
              },
              other: {
                per: 'element',
                dtype: 'float16',
                body: trace('test', scalar, (x) => e.add(x('b', scalar), x('least', scalar))),
              },
              level: {
                per: 'row',
                dtype: 'float32',
                body: trace('test', scalar, (x) => e.add(x('most', scalar), e.log(x('total', scalar)))),
              },
            },
          };
          await pair.agree(
            program,
            {
              a: [place(dtype, shape, la), numbers(211, 1)],
              b: [place('float32', shape, lb), numbers(197, 2)],
            },
            {
              weights: place('float32', shape, lo),
              other: dense('float16', shape),
              level: place('float32', shape.slice(0, rank), lr) as Placed,
            },
            { uniforms: { scale: 0.5 } },
          );
        },
      ),
      { numRuns: 100 },
    );
  });
});
