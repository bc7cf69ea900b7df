// A matrix product of few rows: b is read once, in place and in its own order, as fast as memory gives it.
//
// Four rows of b at a time are added to a line of sums that stays in the first-level cache.

import type { MatmulProgram } from '@heed/tensor';
import { type Cursor, load, store } from './access.ts';
import { type Emitted, KernelWriter } from './kernel.ts';
import { alongAxis } from './lanes.ts';
import type { Machine } from './machine.ts';
import { each, type MatmulShape, matmulFrame } from './matmul-frame.ts';
import { asFloats } from './matmul-tile.ts';
import { eachUnit } from './walk.ts';
import type { Local } from './wasm/index.ts';

/** Columns of a unit of work: 8 KiB of sums. */
export const THIN_COLUMNS = 2048;
/** Rows of b at a time. */
const DEPTH = 4;

/** A line of sums, and a row of a as floats. */
export const thinScratch = (inner: number): number => 4 * (THIN_COLUMNS + inner) + 64;

export function emitThin(
  program: MatmulProgram,
  shape: MatmulShape,
  machine: Machine,
  checked: boolean,
): Emitted {
  return new KernelWriter(machine, checked).run((body) => {
    const { code, writer, pool, scratch } = body;
    const frame = matmulFrame(body, program, shape);
    const { a, b, inner, pointer } = frame;
    const floats = (from: Local<'i32'>): Cursor => ({
      dtype: 'float32',
      step: 'unit',
      pointer: code.let('i32', from),
      stride: scratch,
    });
    eachUnit(body, frame.walk, () => {
      const { width, height } = frame.block();
      const factors = code.let('i32', code.op('i32.add', scratch, THIN_COLUMNS * 4));
      each(code, height, 1, (row) => {
        const begin = code.let('i32', code.op('i32.add', code.op('i32.mul', row, a.across), pointer('a')));
        const one = writer.simd(code, pool, 1);
        const to = code.let('i32', factors);
        each(code, inner, 1, () => {
          const lanes = asFloats(
            one,
            a.dtype,
            load(one, { dtype: a.dtype, step: 'repeat', pointer: begin, stride: a.along }, null),
          );
          code.memoryLane('v128.store32_lane', 0, 0, to, one.vector(lanes, 0));
          code.set(to, code.op('i32.add', to, 4));
          code.set(begin, code.op('i32.add', begin, a.along));
        });
        code.fill(scratch, 0, code.let('i32', code.op('i32.shl', width, 2)));
        const factor = code.let('i32', factors);
        const from = code.let('i32', pointer('b'));
        const left = code.let('i32', inner);
        const pass = (depth: number): void =>
          code.block((end) => {
            code.loop((again) => {
              code.branchIf(end, code.op('i32.lt_s', left, depth));
              const by = Array.from({ length: depth }, (_, i) => [
                code.let('v128', code.load('v128.load32_splat', factor, 4 * i)),
              ]);
              const rows = by.map((): Cursor => {
                const cursor: Cursor = {
                  dtype: b.dtype,
                  step: shape.b,
                  pointer: code.let('i32', from),
                  stride: b.across,
                };
                code.set(from, code.op('i32.add', from, b.along));
                return cursor;
              });
              const sums = floats(scratch);
              alongAxis(body, 2, width, [...rows, sums], (at) => {
                const { s } = at;
                const added = rows.reduce(
                  (sum, cursor, i) =>
                    s.madd(asFloats(s, b.dtype, load(s, cursor, at.left)), by[i] as [Local<'v128'>], sum),
                  load(s, sums, null),
                );
                store(s, sums, added, at.left);
              });
              code.set(factor, code.op('i32.add', factor, 4 * depth));
              code.set(left, code.op('i32.sub', left, depth));
              code.branch(again);
            });
          });
        pass(DEPTH);
        pass(1);
        frame.finish(row, scratch, width);
      });
    });
  });
}
