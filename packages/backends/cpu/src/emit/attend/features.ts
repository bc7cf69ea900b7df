// Neighbouring features of a stored row, as float32 lanes.

import type { StoredDType } from '../access.ts';
import { bytesOf } from '../geometry.ts';
import { fromBfloat16, fromFloat16 } from '../math/half.ts';
import type { Lanes } from '../simd.ts';
import { type Int, type Site, simd } from './site.ts';

/** Vectors that are best loaded together: bytes are widened eight at a time. */
export const togetherOf = (dtype: StoredDType): 1 | 2 => (dtype === 'int8' ? 2 : 1);

/** `count` vectors of features (one, or as many as are best loaded together), from a row's feature `first` on. */
export function loadFeatures(site: Site, dtype: StoredDType, row: Int, first: number, count: 1 | 2): Lanes {
  const { code } = site;
  const s = simd(site, count);
  const offset = first * bytesOf(dtype);
  if (dtype === 'int8') {
    if (count === 1) {
      const narrow = code.load('v128.load32_zero', row, offset);
      const wide = code.op('i32x4.extend_low_i16x8_s', code.op('i16x8.extend_low_i8x16_s', narrow));
      return s.op('f32x4.convert_i32x4_s', [code.let('v128', wide)]);
    }
    const wide = code.let('v128', code.load('v128.load8x8_s', row, offset));
    const halves: Lanes = [
      code.let('v128', code.op('i32x4.extend_low_i16x8_s', wide)),
      code.let('v128', code.op('i32x4.extend_high_i16x8_s', wide)),
    ];
    return s.op('f32x4.convert_i32x4_s', halves);
  }
  if (bytesOf(dtype) === 2) {
    const bits = [code.let('v128', code.load('v128.load16x4_u', row, offset))];
    return dtype === 'float16' ? fromFloat16(s, bits) : fromBfloat16(s, bits);
  }
  return [code.let('v128', code.load('v128.load', row, offset))];
}
