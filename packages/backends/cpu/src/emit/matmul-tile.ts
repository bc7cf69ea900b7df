// The innermost parts of a matrix product: panels of packed floats, and the micro-kernel over two of them.
//
// Tile and instruction order are those of notes/wasm-prototype.md section 3: each broadcast stands right before the
// instructions that use it, because V8 has 15 vector registers to give and one value more halves the speed.

import { dtypes } from '@heed/tensor';
import { type Cursor, load, type StoredDType } from './access.ts';
import type { Body } from './kernel.ts';
import { type Machine, tileColumns } from './machine.ts';
import type { Operand } from './matmul-frame.ts';
import type { Lanes, Simd } from './simd.ts';
import type { Callee, Local, Module } from './wasm/index.ts';

type Int = Local<'i32'>;

export interface Panel {
  readonly of: Operand;
  /** Where the first element lies; ends behind the last. */
  readonly from: Int;
  /** How many lanes of the panel have elements; the others get anything, and what comes of them is not stored. */
  readonly left: Int;
  readonly count: Int;
  readonly lanes: 4 | 6 | 8 | 16;
}

/** Writes a panel [count][lanes] of floats; `to` ends behind it. */
export function pack(body: Body, { of, from, left, count, lanes }: Panel, to: Int): void {
  const { code, writer, pool } = body;
  const s = writer.simd(code, pool, Math.ceil(lanes / 4));
  const rest = code.let('i32', count);
  const cursor: Cursor = { dtype: of.dtype, step: of.step, pointer: from, stride: of.across };
  code.block((end) => {
    code.loop((again) => {
      code.branchIf(end, code.op('i32.eqz', rest));
      const floats = asFloats(s, of.dtype, load(s, cursor, left));
      for (let i = 0; i < lanes >> 2; i++) code.access('v128.store', 16 * i, to, s.vector(floats, i));
      if (lanes === 6) code.memoryLane('v128.store64_lane', 16, 0, to, s.vector(floats, 1));
      code.set(to, code.op('i32.add', to, lanes * 4));
      code.set(from, code.op('i32.add', from, of.along));
      code.set(rest, code.op('i32.sub', rest, 1));
      code.branch(again);
    });
  });
}

/** Lanes as the numbers that are multiplied. */
export function asFloats(s: Simd, dtype: StoredDType, lanes: Lanes): Lanes {
  const { element } = dtypes[dtype];
  if (element === 'int') return s.op('f32x4.convert_i32x4_s', lanes);
  return element === 'bool' ? s.op('v128.and', lanes, s.float(1)) : lanes;
}

/**
 * The micro-kernel, a function of panels of a [count][tile rows] and b [count][tile columns], of the sums' address and row
 * length in bytes, and of whether there are sums already: it adds to them or begins them. `count` is at least one.
 */
export function writeTile(module: Module, machine: Machine): Callee {
  const { tileRows, relaxed } = machine;
  const takes = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'] as const;
  return module.function(undefined, takes, undefined, (code, a, b, count, sums, line, earlier) => {
    const vectors = (): readonly Local<'v128'>[] =>
      Array.from({ length: tileColumns(machine) / 4 }, () => code.local('v128'));
    const tile = Array.from({ length: tileRows }, vectors);
    const [columns, broadcast] = [vectors(), code.local('v128')];
    const at = code.let('i32', sums);
    code.if(earlier, () => {
      for (const row of tile) {
        for (const [i, sum] of row.entries()) code.set(sum, code.load('v128.load', at, 16 * i));
        code.set(at, code.op('i32.add', at, line));
      }
    });
    const add = (to: Local<'v128'>, by: Local<'v128'>): void =>
      code.set(
        to,
        relaxed
          ? code.op('f32x4.relaxed_madd', broadcast, by, to)
          : code.op('f32x4.add', code.op('f32x4.mul', broadcast, by), to),
      );
    code.loop((again) => {
      for (const [i, by] of columns.entries()) code.set(by, code.load('v128.load', b, 16 * i));
      for (const [r, row] of tile.entries()) {
        code.set(broadcast, code.load('v128.load32_splat', a, r * 4));
        for (const [i, sum] of row.entries()) add(sum, columns[i] as Local<'v128'>);
      }
      code.set(a, code.op('i32.add', a, tileRows * 4));
      code.set(b, code.op('i32.add', b, 16 * columns.length));
      code.branchIf(again, code.tee(count, code.op('i32.sub', count, 1)));
    });
    code.set(at, sums);
    for (const row of tile) {
      for (const [i, sum] of row.entries()) code.access('v128.store', 16 * i, at, sum);
      code.set(at, code.op('i32.add', at, line));
    }
  });
}
