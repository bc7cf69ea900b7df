// Running along an axis, a group of vectors at a time and then vector by vector.

import { advance, type Cursor } from './access.ts';
import type { Body } from './kernel.ts';
import type { Simd } from './simd.ts';
import type { Local } from './wasm/index.ts';

/** A place along the axis. */
export interface Stretch {
  readonly s: Simd;
  /** How many elements there are, where that may be fewer than the group's lanes. */
  readonly left: Local<'i32'> | null;
  /** How many elements lie before. */
  readonly index: Local<'i32'>;
}

/**
 * Visits `count` elements under the cursors, which end behind the last of them. The code of `write` appears twice: for
 * whole groups, and for single vectors of which the last may be incomplete.
 */
export function alongAxis(
  { code, writer, pool }: Body,
  group: number,
  count: Local<'i32'>,
  cursors: readonly Cursor[],
  write: (at: Stretch) => void,
): void {
  const index = code.let('i32', 0);
  const left = code.let('i32', count);
  const pass = (size: number, guarded: boolean): void => {
    const s = writer.simd(code, pool, size);
    const lanes = size * 4;
    code.block((end) => {
      code.loop((again) => {
        code.branchIf(end, code.op('i32.lt_s', left, guarded ? 1 : lanes));
        write({ s, left: guarded ? left : null, index });
        for (const cursor of cursors) advance(s, cursor, lanes);
        code.set(index, code.op('i32.add', index, lanes));
        code.set(left, code.op('i32.sub', left, lanes));
        code.branch(again);
      });
    });
  };
  pass(group, false);
  pass(1, true);
}
