// The micro-kernel of scores: S^T[key][8 queries] = sum over features of K[key][d] Q^T[d][8 queries], for one record of
// queries or two.
//
// Keys are read where they lie, by broadcasts; each broadcast stands right before the instructions that use it, because V8
// has 15 vector registers to give: 12 sums, 2 vectors of queries, 1 broadcast (notes/wasm-prototype.md section 3).

import type { KernelWriter } from '../kernel.ts';
import type { Callee, Local } from '../wasm/index.ts';
import { LINE } from './layout.ts';

/**
 * products(keys, step, rows, queries..., out...): row j of the keys begins at keys + j * step; for each of `records`
 * records, queries are packed [feature][8] and `out` is its tile. Writes whole micro-tiles: up to tileRows - 1 rows behind
 * the last.
 */
export const writeProducts = (writer: KernelWriter, features: number, records: 1 | 2): Callee =>
  writer.helper(`products ${features} ${records}`, (module) => {
    const { tileRows, relaxed } = writer.machine;
    const places = Array.from({ length: 2 * records }, () => 'i32' as const);
    const takes = ['i32', 'i32', 'i32', ...places] as const;
    return module.function(undefined, takes, undefined, (code, keys, step, rows, ...rest) => {
      const [queries, out] = [rest.slice(0, records), rest.slice(records)];
      const vectors = (): readonly Local<'v128'>[] =>
        Array.from({ length: 2 * records }, () => code.local('v128'));
      const tile = Array.from({ length: tileRows }, vectors);
      const pointers = Array.from({ length: tileRows }, () => code.local('i32'));
      const [lanes, broadcast] = [vectors(), code.local('v128')];
      const at = queries.map(() => code.local('i32'));
      const [first] = at as [Local<'i32'>];
      const end = code.let('i32', code.op('i32.add', queries[0] as Local<'i32'>, features * LINE));
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
        for (const sum of tile.flat()) code.set(sum, code.zero());
        if (features > 0) {
          for (const [i, from] of queries.entries()) code.set(at[i] as Local<'i32'>, from);
          code.loop((again) => {
            for (let u = 0; u < unrolled; u++) {
              for (const [i, from] of at.entries())
                for (const half of [0, 1])
                  code.set(
                    lanes[2 * i + half] as Local<'v128'>,
                    code.load('v128.load', from, u * LINE + 16 * half),
                  );
              for (const [r, row] of tile.entries()) {
                code.set(broadcast, code.load('v128.load32_splat', pointers[r] as Local<'i32'>, u * 4));
                for (const [i, sum] of row.entries()) add(sum, lanes[i] as Local<'v128'>);
              }
            }
            for (const pointer of pointers) code.set(pointer, code.op('i32.add', pointer, unrolled * 4));
            for (const from of at) code.set(from, code.op('i32.add', from, unrolled * LINE));
            code.branchIf(again, code.op('i32.lt_u', first, end));
          });
        }
        for (const [i, to] of out.entries()) {
          for (const [r, row] of tile.entries())
            for (const half of [0, 1])
              code.access('v128.store', r * LINE + 16 * half, to, row[2 * i + half] as Local<'v128'>);
          code.set(to, code.op('i32.add', to, tileRows * LINE));
        }
        code.branchIf(next, code.op('i32.gt_s', code.tee(rows, code.op('i32.sub', rows, tileRows)), 0));
      });
    });
  });
