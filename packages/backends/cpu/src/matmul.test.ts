import * as e from '@heed/expr';
import type { MatmulProgram } from '@heed/tensor';
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { dense, lays, numbers, place, type Stored } from '../../trials/pair.fixture.ts';
import { machines, wide } from './emit/math/arrays.fixture.ts';
import { openPair } from './pair.fixture.ts';

const { scalar, trace } = e;
const storage = fc.constantFrom<Stored>('float32', 'float32', 'float16', 'bfloat16', 'int8');
const length = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 1, max: 40 }));

describe.each([...machines, wide])('matmul, relaxed $relaxed, threads $threads, turbo $turbo', (machine) => {
  it('agrees with the reference over any sizes, strides and dtypes', async () => {
    const pair = await openPair(machine);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 2 }).chain((batch) =>
          fc.record({
            batch: fc.constant(batch),
            sizes: fc.tuple(length, length, length),
            dtypes: fc.tuple(storage, storage, storage),
            lays: fc.tuple(
              lays(batch.length + 2, true),
              lays(batch.length + 2, true),
              lays(batch.length + 2, true),
              lays(batch.length + 2, false),
            ),
            bias: fc.boolean(),
          }),
        ),
        async ({ batch, sizes: [rows, inner, columns], dtypes: [a, b, c], lays: [la, lb, lc, lo], bias }) => {
          const program: MatmulProgram = {
            kind: 'matmul',
            rank: batch.length,
            a,
            b,
            inputs: bias ? { c } : {},
            uniforms: { scale: 'float' },
            epilogue: trace('test', scalar, (x) =>
              bias
                ? e.tanh(e.add(e.mul(x('product', scalar), x('scale', scalar)), x('c', scalar)))
                : e.mul(x('product', scalar), x('scale', scalar)),
            ),
            dtype: 'float32',
          };
          const small = (dtype: Stored, seed: number) =>
            numbers(173, seed).map((x) => (dtype === 'int8' ? x / 4 : x));
          const whole = [...batch, rows, columns];
          await pair.agree(
            program,
            {
              a: [place(a, [...batch, rows, inner], la), small(a, 1)],
              b: [place(b, [...batch, inner, columns], lb), small(b, 2)],
              ...(bias ? { c: [place(c, whole, lc), numbers(97, 3)] as const } : {}),
            },
            { out: place('float32', whole, lo) },
            { uniforms: { scale: 0.1 }, tolerance: 2e-5 },
          );
        },
      ),
      { numRuns: 100 },
    );
  });

  it.each([
    [97, 300, 530],
    [200, 513, 9],
    [5, 600, 1030],
    [100, 4200, 11],
    [2, 30, 2500],
  ])('agrees on %i x %i x %i, larger than its blocks', async (rows, inner, columns) => {
    const pair = await openPair(machine);
    const program: MatmulProgram = {
      kind: 'matmul',
      rank: 0,
      a: 'float32',
      b: 'float32',
      inputs: {},
      uniforms: {},
      epilogue: trace('test', scalar, (x) => x('product', scalar)),
      dtype: 'float32',
    };
    await pair.agree(
      program,
      {
        a: [dense('float32', [rows, inner]), numbers(9973, 1)],
        b: [dense('float32', [inner, columns]), numbers(9967, 2)],
      },
      { out: dense('float32', [rows, columns]) },
      { tolerance: 1e-4 },
    );
  });

  it.each([
    ['a b for each batch', [2, 3], [true, true]],
    ['one b along the first axis', [2, 3], [false, true]],
    ['one b along the second axis', [2, 3], [true, false]],
    ['one b for all', [3], [false]],
  ] as const)('agrees on more rows than a block, with %s', async (_, batch, moves) => {
    const pair = await openPair(machine);
    const [rows, inner, columns] = [103, 37, 29];
    for (const b of ['float32', 'int8'] as const) {
      const program: MatmulProgram = {
        kind: 'matmul',
        rank: batch.length,
        a: 'float32',
        b,
        inputs: {},
        uniforms: {},
        epilogue: trace('test', scalar, (x) => x('product', scalar)),
        dtype: 'float32',
      };
      const whole = dense(b, [...batch, inner, columns]);
      const strides = whole.strides.map((stride, axis) => (moves[axis] === false ? 0 : stride));
      await pair.agree(
        program,
        {
          a: [dense('float32', [...batch, rows, inner]), numbers(9973, 1)],
          b: [{ ...whole, strides }, numbers(967, 2).map((x) => (b === 'int8' ? x / 4 : x))],
        },
        { out: dense('float32', [...batch, rows, columns]) },
        { tolerance: 2e-5 },
      );
    }
  });
});
