// Floats of 16 bits, in the lower halves of 32-bit lanes, to float32 and back.

import type { Lanes, Simd } from '../simd.ts';

/** float16 to float32, exact: exponents are moved by a product, which also makes denormals right. */
export function fromFloat16(s: Simd, bits: Lanes): Lanes {
  const magnitude = s.shift('i32x4.shl', s.op('v128.and', bits, s.int(0x7fff)), 13);
  const number = s.op('f32x4.mul', magnitude, s.float(2 ** 112));
  // Infinity and NaN have come out as 2^16 and more; their exponent is all ones.
  const strange = s.op('f32x4.ge', number, s.float(2 ** 16));
  const widened = s.op('v128.or', number, s.op('v128.and', strange, s.int(0x7f800000)));
  return s.op('v128.or', widened, s.shift('i32x4.shl', s.op('v128.and', bits, s.int(0x8000)), 16));
}

export const fromBfloat16 = (s: Simd, bits: Lanes): Lanes => s.shift('i32x4.shl', bits, 16);

/** float32 to float16 in the lower half of each lane: to the nearest, ties to even; NaN to 0x7e00. After F. Giesen, float_to_half_fast3_rtne. */
export function toFloat16(s: Simd, x: Lanes): Lanes {
  const sign = s.op('v128.and', x, s.int(0x80000000));
  const size = s.op('v128.xor', x, sign);
  // Normal: rebias the exponent and round by adding half a unit less one, and one more where the unit is odd.
  const odd = s.op('v128.and', s.shift('i32x4.shr_u', size, 13), s.int(1));
  const rebias = ((15 - 127) << 23) + 0xfff;
  const normal = s.shift('i32x4.shr_u', s.op('i32x4.add', s.op('i32x4.add', size, s.int(rebias)), odd), 13);
  // Denormal: adding 0.5 leaves the right bits, rounded by the addition itself.
  const denormal = s.op('i32x4.sub', s.op('f32x4.add', size, s.float(0.5)), s.int(126 << 23));
  const finite = s.select(s.op('f32x4.lt', size, s.float(2 ** -14)), denormal, normal);
  const bounded = s.select(s.op('f32x4.ge', size, s.float(2 ** 16)), s.int(0x7c00), finite);
  const signed = s.op('v128.or', bounded, s.shift('i32x4.shr_u', sign, 16));
  return s.select(s.op('f32x4.eq', x, x), signed, s.int(0x7e00));
}

/** float32 to bfloat16 in the lower half of each lane: to the nearest, ties to even; NaN to 0x7fc0. */
export function toBfloat16(s: Simd, x: Lanes): Lanes {
  const odd = s.op('v128.and', s.shift('i32x4.shr_u', x, 16), s.int(1));
  const rounded = s.shift('i32x4.shr_u', s.op('i32x4.add', s.op('i32x4.add', x, s.int(0x7fff)), odd), 16);
  return s.select(s.op('f32x4.eq', x, x), rounded, s.int(0x7fc0));
}
