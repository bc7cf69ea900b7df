// The micro-kernel of scores: S^T[key][8 queries] = sum over features of K[key][d] Q^T[d][8 queries].
//
// Keys are read where they lie, by broadcasts; each broadcast stands right before the instructions that use it, because V8
// has 15 vector registers to give: 12 sums, 2 vectors of queries, 1 broadcast (notes/wasm-prototype.md section 3).

import type { KernelWriter } from '../kernel.ts';
import type { Callee, Local } from '../wasm/index.ts';
import { LINE } from './layout.ts';

/**
 * products(queries, keys, step, rows, out): `queries` is packed [feature][8], row j of the keys begins at keys + j * step.
 * Writes whole micro-tiles: up to tileRows - 1 rows behind the last.
 */
export const writeProducts = (writer: KernelWriter, features: number): Callee =>
  writer.helper(`products ${features}`, (module) => {
    const { tileRows, relaxed } = writer.machine;
    const takes = ['i32', 'i32', 'i32', 'i32', 'i32'] as const;
    return module.function(undefined, takes, undefined, (code, queries, keys, step, rows, out) => {
      const tile = Array.from({ length: tileRows }, () => [code.local('v128'), code.local('v128')] as const);
      const pointers = Array.from({ length: tileRows }, () => code.local('i32'));
      const [left, right, broadcast] = [code.local('v128'), code.local('v128'), code.local('v128')];
      const [at, end] = [code.local('i32'), code.let('i32', code.op('i32.add', queries, features * LINE))];
      const unrolled = features % 4 === 0 && relaxed ? 4 : 1;
      const add = (to: Local<'v128'>, by: Local<'v128'>): void =>
        code.set(
          to,
          relaxed
            ? code.op('f32x4.relaxed_madd', broadcast, by, to)
            : code.op('f32x4.add', code.op('f32x4.mul', broadcast, by), to),
        );
      code.loop((next) => {
        // Rows behind the last are the last again.
        pointers.forEach((pointer, r) => {
          const before = pointers[r - 1];
          if (!before) code.set(pointer, keys);
          else
            code.set(
              pointer,
              code.op(
                'i32.add',
                code.select('i32', code.get(step), code.i32(0), code.op('i32.gt_s', rows, r)),
                before,
              ),
            );
        });
        code.set(keys, code.op('i32.add', pointers[tileRows - 1] as Local<'i32'>, step));
        for (const [low, high] of tile) {
          code.set(low, code.zero());
          code.set(high, code.zero());
        }
        if (features > 0) {
          code.set(at, queries);
          code.loop((again) => {
            for (let u = 0; u < unrolled; u++) {
              code.set(left, code.load('v128.load', at, u * LINE));
              code.set(right, code.load('v128.load', at, u * LINE + 16));
              for (const [r, [low, high]] of tile.entries()) {
                code.set(broadcast, code.load('v128.load32_splat', pointers[r] as Local<'i32'>, u * 4));
                add(low, left);
                add(high, right);
              }
            }
            for (const pointer of pointers) code.set(pointer, code.op('i32.add', pointer, unrolled * 4));
            code.branchIf(
              again,
              code.op('i32.lt_u', code.tee(at, code.op('i32.add', at, unrolled * LINE)), end),
            );
          });
        }
        for (const [r, [low, high]] of tile.entries()) {
          code.access('v128.store', r * LINE, out, low);
          code.access('v128.store', r * LINE + 16, out, high);
        }
        code.set(out, code.op('i32.add', out, tileRows * LINE));
        code.branchIf(next, code.op('i32.gt_s', code.tee(rows, code.op('i32.sub', rows, tileRows)), 0));
      });
    });
  });
