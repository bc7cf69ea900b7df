// The loop by which a compiler is tried: the micro-kernel of a matrix product, in two widths.

import { type Machine, memoryOf } from './machine.ts';
import { type Local, Module } from './wasm/index.ts';

/** Rows of the tile. */
export const PROBE_ROWS = 6;
/** Products in a sum. */
export const PROBE_INNER = 64;

/**
 * A module that exports `run(a, b, sums, times)`: so many times, adds to the sums [6][columns] the product of the panels
 * a [64][6] and b [64][columns]. 16 columns fill the registers of a compiler that makes one vector of 256 bits of two that
 * lie side by side, and too many of one that does not; 8 columns are the other way round.
 */
export function emitProbe(machine: Machine, columns: 8 | 16): Uint8Array<ArrayBuffer> {
  const module = new Module(memoryOf(machine));
  const takes = ['i32', 'i32', 'i32', 'i32'] as const;
  module.function('run', takes, undefined, (code, a, b, sums, times) => {
    const vectors = (): readonly Local<'v128'>[] =>
      Array.from({ length: columns / 4 }, () => code.local('v128'));
    const tile = Array.from({ length: PROBE_ROWS }, vectors);
    const [line, broadcast] = [vectors(), code.local('v128')];
    const [fromA, fromB, left] = [code.local('i32'), code.local('i32'), code.local('i32')];
    const eachSum = (then: (sum: Local<'v128'>, offset: number) => void): void => {
      for (const [row, of] of tile.entries())
        for (const [i, sum] of of.entries()) then(sum, (row * columns + 4 * i) * 4);
    };
    code.loop((again) => {
      eachSum((sum, offset) => code.set(sum, code.load('v128.load', sums, offset)));
      code.set(fromA, a);
      code.set(fromB, b);
      code.set(left, PROBE_INNER);
      code.loop((next) => {
        for (const [i, vector] of line.entries()) code.set(vector, code.load('v128.load', fromB, 16 * i));
        for (const [row, of] of tile.entries()) {
          code.set(broadcast, code.load('v128.load32_splat', fromA, row * 4));
          for (const [i, sum] of of.entries()) {
            const by = line[i] as Local<'v128'>;
            code.set(
              sum,
              machine.relaxed
                ? code.op('f32x4.relaxed_madd', broadcast, by, sum)
                : code.op('f32x4.add', code.op('f32x4.mul', broadcast, by), sum),
            );
          }
        }
        code.set(fromA, code.op('i32.add', fromA, PROBE_ROWS * 4));
        code.set(fromB, code.op('i32.add', fromB, columns * 4));
        code.branchIf(next, code.tee(left, code.op('i32.sub', left, 1)));
      });
      eachSum((sum, offset) => code.access('v128.store', offset, sums, sum));
      code.branchIf(again, code.tee(times, code.op('i32.sub', times, 1)));
    });
  });
  return module.bytes();
}
