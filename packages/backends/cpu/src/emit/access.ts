// Elements of a tensor to lanes and back, for every dtype and every way to step.

import type { DType } from '@heed/tensor';
import { bytesOf, type Step } from './geometry.ts';
import type { Body } from './kernel.ts';
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from './math/half.ts';
import type { Lanes, Simd } from './simd.ts';
import type { Local, MemoryInstruction, MemoryLaneInstruction } from './wasm/index.ts';

export type StoredDType = Exclude<DType, 'float64'>;

/** A place in a tensor from which lanes are read or to which they are written. */
export interface Cursor {
  readonly dtype: StoredDType;
  readonly step: Step;
  readonly pointer: Local<'i32'>;
  /** The bytes from lane to lane; read where the step is any. */
  readonly stride: Local<'i32'>;
}

/** The stride of a tensor along an axis, in a variable: made once, outside every loop. */
export const strideOf = ({ code, frame, writer }: Body, tensor: string, axis: number): Local<'i32'> =>
  code.let('i32', code.load('i32.load', frame, writer.word({ of: 'stride', tensor, axis })));

/** What a stored number is once its bits lie in 32-bit lanes. */
const decode: { readonly [D in StoredDType]: (s: Simd, raw: Lanes) => Lanes } = {
  float32: (_, raw) => raw,
  int32: (_, raw) => raw,
  float16: fromFloat16,
  bfloat16: fromBfloat16,
  int8: (s, raw) => s.op('f32x4.convert_i32x4_s', raw),
  bool: (s, raw) => s.op('i32x4.ne', raw, s.zero()),
};

/** The bits to store, in 32-bit lanes. */
const encode: { readonly [D in StoredDType]: (s: Simd, value: Lanes) => Lanes } = {
  float32: (_, value) => value,
  int32: (_, value) => value,
  float16: toFloat16,
  bfloat16: toBfloat16,
  // To the nearest, saturating; NaN has no place and becomes 0.
  int8: (s, value) => {
    const whole = s.op('i32x4.trunc_sat_f32x4_s', s.op('f32x4.nearest', value));
    return s.op('i32x4.max_s', s.op('i32x4.min_s', whole, s.int(127)), s.int(-128));
  },
  bool: (s, value) => s.op('v128.and', value, s.int(1)),
};

type IntLoad = Extract<MemoryInstruction, `i32.load${string}`>;

const loadOne: { readonly [D in StoredDType]: IntLoad } = {
  float32: 'i32.load',
  int32: 'i32.load',
  float16: 'i32.load16_s',
  bfloat16: 'i32.load16_u',
  int8: 'i32.load8_s',
  bool: 'i32.load8_u',
};

/** How many bytes behind a tensor's last element may be read, by a group of at most four vectors. Never used. */
export const OVERREAD = 64;

/**
 * The lanes at a cursor. Reads up to OVERREAD bytes beyond the last element where the step is unit; other steps stop at
 * the last element.
 *
 * @param left how many elements there are, where that may be fewer than the group's lanes; at least one.
 */
export function load(s: Simd, cursor: Cursor, left: Local<'i32'> | null): Lanes {
  const raw = { unit: loadUnit, repeat: loadRepeat, any: loadAny }[cursor.step](s, cursor, left);
  return decode[cursor.dtype](s, raw);
}

function loadUnit(s: Simd, { dtype, pointer }: Cursor): Lanes {
  const { code } = s;
  const bytes = bytesOf(dtype);
  return Array.from({ length: s.group }, (_, i) => {
    const offset = i * 4 * bytes;
    if (bytes === 4) return code.let('v128', code.load('v128.load', pointer, offset));
    if (bytes === 2) {
      const extend = dtype === 'float16' ? 'v128.load16x4_s' : 'v128.load16x4_u';
      return code.let('v128', code.load(extend, pointer, offset));
    }
    const sign = dtype === 'int8' ? 's' : 'u';
    const narrow = code.load('v128.load32_zero', pointer, offset);
    const wide = code.op(`i16x8.extend_low_i8x16_${sign}`, narrow);
    return code.let('v128', code.op(`i32x4.extend_low_i16x8_${sign}`, wide));
  });
}

function loadRepeat(s: Simd, { dtype, pointer }: Cursor): Lanes {
  const { code } = s;
  if (bytesOf(dtype) === 4) return [code.let('v128', code.load('v128.load32_splat', pointer))];
  return [code.let('v128', code.op('i32x4.splat', code.load(loadOne[dtype], pointer)))];
}

function loadAny(s: Simd, { dtype, pointer, stride }: Cursor, left: Local<'i32'> | null): Lanes {
  const { code } = s;
  const at = code.let('i32', pointer);
  return Array.from({ length: s.group }, (_, i) => {
    const vector = code.local('v128');
    for (let lane = 0; lane < 4; lane++) {
      const wide = bytesOf(dtype) === 4;
      if (wide)
        code.set(vector, code.memoryLane('v128.load32_lane', 0, lane, code.get(at), code.get(vector)));
      else {
        const one = code.let('i32', code.load(loadOne[dtype], at));
        code.set(vector, code.lane('i32x4.replace_lane', lane, vector, one));
      }
      // Behind the last element the cursor stays where it is.
      const count = i * 4 + lane + 1;
      if (count === s.group * 4) break;
      const by = left
        ? code.select('i32', code.get(stride), code.i32(0), code.op('i32.gt_s', left, count))
        : code.get(stride);
      code.set(at, code.op('i32.add', by, at));
    }
    return vector;
  });
}

const storeLane: { readonly [W in 1 | 2 | 4]: MemoryLaneInstruction } = {
  1: 'v128.store8_lane',
  2: 'v128.store16_lane',
  4: 'v128.store32_lane',
};

/** Writes lanes at a cursor. @param left as for load: no lane beyond is written. */
export function store(s: Simd, cursor: Cursor, value: Lanes, left: Local<'i32'> | null): void {
  const { code } = s;
  const bytes = bytesOf(cursor.dtype) as 1 | 2 | 4;
  const raw = encode[cursor.dtype](s, value);
  if (left || cursor.step !== 'unit') {
    storeLanes(s, cursor, raw, left);
    return;
  }
  for (let i = 0; i < s.group; i++) {
    const [vector, offset] = [s.vector(raw, i), i * 4 * bytes];
    if (bytes === 4) code.access('v128.store', offset, cursor.pointer, vector);
    else if (bytes === 2) {
      code.memoryLane(
        'v128.store64_lane',
        offset,
        0,
        code.get(cursor.pointer),
        code.op('i16x8.narrow_i32x4_u', vector, vector),
      );
    } else {
      const half = code.let('v128', code.op('i16x8.narrow_i32x4_s', vector, vector));
      code.memoryLane(
        'v128.store32_lane',
        offset,
        0,
        code.get(cursor.pointer),
        code.op('i8x16.narrow_i16x8_s', half, half),
      );
    }
  }
}

function storeLanes(
  s: Simd,
  { dtype, step, pointer, stride }: Cursor,
  raw: Lanes,
  left: Local<'i32'> | null,
): void {
  const { code } = s;
  const bytes = bytesOf(dtype) as 1 | 2 | 4;
  const at = code.let('i32', pointer);
  code.block((end) => {
    for (let count = 0; count < s.group * 4; count++) {
      if (left && count > 0) code.branchIf(end, code.op('i32.le_s', left, count));
      // Lanes of 8 and 16 bits are counted through the whole vector: the lowest of each 32.
      const lane = (count % 4) * (4 / bytes);
      code.memoryLane(storeLane[bytes], 0, lane, at, s.vector(raw, count >> 2));
      code.set(at, step === 'unit' ? code.op('i32.add', at, bytes) : code.op('i32.add', at, stride));
    }
  });
}

/** Moves a cursor on by a number of lanes. */
export function advance({ code }: Simd, { dtype, step, pointer, stride }: Cursor, lanes: number): void {
  if (step === 'unit') code.set(pointer, code.op('i32.add', pointer, lanes * bytesOf(dtype)));
  else if (step === 'any') code.set(pointer, code.op('i32.add', code.op('i32.mul', stride, lanes), pointer));
}
