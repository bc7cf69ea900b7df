// A block of a matrix product: b packed into panels of as many columns as the tile has, a into panels of as many rows, the
// micro-kernel over both, and the epilogue over what comes out.
//
// After Goto, van de Geijn 2008, "Anatomy of high-performance matrix multiplication".

import type { MatmulProgram } from '@heed/tensor';
import { type Emitted, KernelWriter } from './kernel.ts';
import { type Machine, tileColumns } from './machine.ts';
import { each, type MatmulShape, matmulFrame, minimum, PACKED } from './matmul-frame.ts';
import { pack, writeTile } from './matmul-tile.ts';
import { eachUnit } from './walk.ts';
import type { Local } from './wasm/index.ts';

/** Rows of a that are packed at a time: a multiple of 4 and of 6. */
export const ROW_BLOCK = 96;
/** How many products are added before sums go to memory: a panel of b is 8 or 16 KiB, one of a 6; both stay in 32 KiB. */
const INNER_BLOCK = 256;
/** Up to so many products all of b's columns are packed once; beyond, a part at a time, for more rows at a time. */
export const WHOLE_INNER = 4096;

/** Rows whose sums are kept while parts of b come and go. */
const sumRows = (whole: boolean): number => (whole ? ROW_BLOCK : 4 * ROW_BLOCK);

/** Bytes of packed b, unless it has been packed before, of sums and of packed a, in this order. */
export const scratchOf = (width: number, inner: number, whole: boolean, packed: boolean): number =>
  4 *
    (width * (packed ? 0 : whole ? inner : INNER_BLOCK) + sumRows(whole) * width + ROW_BLOCK * INNER_BLOCK) +
  64;

export function emitMatmul(
  program: MatmulProgram,
  shape: MatmulShape,
  whole: boolean,
  machine: Machine,
  checked: boolean,
): Emitted {
  const kernel = new KernelWriter(machine, checked);
  const { tileRows } = machine;
  const columns = tileColumns(machine);
  return kernel.run((body) => {
    const { code, scratch } = body;
    const tile = writeTile(kernel.module, machine);
    const frame = matmulFrame(body, program, shape);
    const { a, b, inner, pointer } = frame;
    const sum = (...terms: readonly [Local<'i32'>, number | Local<'i32'>][]): Local<'i32'> => {
      const total = code.let('i32', 0);
      for (const [one, times] of terms)
        code.set(total, code.op('i32.add', code.op('i32.mul', one, times), total));
      return total;
    };
    eachUnit(body, frame.walk, () => {
      const { width, height } = frame.block();
      /** Columns with those that fill the last panel. */
      const padded = code.let('i32', code.op('i32.and', code.op('i32.add', width, columns - 1), -columns));
      const line = code.let('i32', code.op('i32.shl', padded, 2));
      // Scratch: packed b [panel][products][columns], sums [row][padded], packed a [panel][products][tile rows].
      const own = code.let('i32', code.op('i32.and', code.op('i32.add', scratch, 63), -64));
      const packedB = shape.packed ? pointer(PACKED) : own;
      const sums = shape.packed ? own : sum([line, whole ? inner : INNER_BLOCK], [own, 1]);
      const packedA = sum([line, sumRows(whole)], [sums, 1]);
      const packB = (depth: Local<'i32'>, count: Local<'i32'>): void => {
        const to = code.let('i32', packedB);
        each(code, width, columns, (column) => {
          const from = sum([column, b.across], [depth, b.along], [pointer('b'), 1]);
          const left = code.let('i32', code.op('i32.sub', width, column));
          pack(body, { of: b, from, left, count, lanes: columns }, to);
        });
      };
      if (whole && !shape.packed) packB(code.let('i32', 0), inner);
      each(code, height, sumRows(whole), (row) => {
        const some = minimum(code, code.let('i32', code.op('i32.sub', height, row)), sumRows(whole));
        each(code, inner, INNER_BLOCK, (depth) => {
          const count = minimum(code, code.let('i32', code.op('i32.sub', inner, depth)), INNER_BLOCK);
          if (!whole) packB(depth, count);
          each(code, some, ROW_BLOCK, (first) => {
            const here = minimum(code, code.let('i32', code.op('i32.sub', some, first)), ROW_BLOCK);
            const filled = code.let('i32', packedA);
            each(code, here, tileRows, (top) => {
              const from = sum(
                [row, a.across],
                [first, a.across],
                [top, a.across],
                [depth, a.along],
                [pointer('a'), 1],
              );
              const left = code.let('i32', code.op('i32.sub', here, top));
              pack(body, { of: a, from, left, count, lanes: tileRows }, filled);
            });
            each(code, padded, columns, (column) => {
              // A panel of b begins behind column * (its length) floats; within it, a row of floats for each product.
              const length = whole ? inner : count;
              const floats = code.let('i32', code.op('i32.mul', column, length));
              if (whole) code.set(floats, code.op('i32.add', code.op('i32.mul', depth, columns), floats));
              const panelB = sum([floats, 4], [packedB, 1]);
              const panelA = code.let('i32', packedA);
              const at = sum([column, 4], [first, line], [sums, 1]);
              each(code, here, tileRows, () => {
                code.call(tile, panelA, panelB, count, at, line, depth);
                code.set(panelA, code.op('i32.add', code.op('i32.mul', count, tileRows * 4), panelA));
                code.set(at, code.op('i32.add', code.op('i32.mul', line, tileRows), at));
              });
            });
          });
        });
        // No product at all: the sum is zero.
        code.if(code.op('i32.eqz', inner), () => {
          const bytes = code.let('i32', code.op('i32.mul', line, some));
          code.fill(sums, 0, bytes);
        });
        each(code, some, 1, (offset) => {
          const where = code.let('i32', code.op('i32.add', row, offset));
          frame.finish(where, sum([offset, line], [sums, 1]), width);
        });
      });
    });
  });
}
