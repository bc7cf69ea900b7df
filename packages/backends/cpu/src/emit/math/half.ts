// Floats of 16 bits, in the lower halves of 32-bit lanes, to float32 and back.

import type { Lanes, Simd } from '../simd.ts';

/** float16, its sign repeated in the upper half of each lane, to float32, exact. */
export function fromFloat16(s: Simd, bits: Lanes): Lanes {
  const number = fromFiniteFloat16(s, bits);
  // Infinity and NaN have come out as 2^16 and more; their exponent is all ones.
  const strange = s.op('f32x4.ge', s.op('f32x4.abs', number), s.float(2 ** 16));
  return s.op('v128.or', number, s.op('v128.and', strange, s.int(0x7f800000)));
}

/** The constants of `fromFiniteFloat16`: a loop loads them once, ahead. */
export interface Widening {
  readonly kept: Lanes;
  readonly scale: Lanes;
}

export const wideningOf = (s: Simd): Widening => ({ kept: s.int(0x8fffffff), scale: s.float(2 ** 112) });

/** The same where no lane holds infinity or NaN: exponents are moved by a product, which also makes denormals right. */
export const fromFiniteFloat16 = (s: Simd, bits: Lanes, { kept, scale }: Widening = wideningOf(s)): Lanes =>
  s.op('f32x4.mul', s.op('v128.and', s.shift('i32x4.shl', bits, 13), kept), scale);

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
