// floorDiv and mod, for floats and for ints.

import type { Lanes, Simd } from '../simd.ts';

/** floor(a / b). */
export const floorDivFloat = (s: Simd, a: Lanes, b: Lanes): Lanes =>
  s.op('f32x4.floor', s.op('f32x4.div', a, b));

/** a - b floor(a / b), literally so. */
export function modFloat(s: Simd, a: Lanes, b: Lanes): Lanes {
  // Not by relaxed_nmadd: a and b times the quotient are rounded apart on every machine.
  return s.op('f32x4.sub', a, s.op('f32x4.mul', b, floorDivFloat(s, a, b)));
}

/**
 * floor(a / b) of 32-bit ints; zero where b is; the least int over -1 wraps. There is no such instruction, but the
 * quotient in float64 is right: unless it is whole it lies at least 1/|b| away from every whole number.
 */
export function floorDivInt(s: Simd, a: Lanes, b: Lanes): Lanes {
  const half = (of: (lanes: Lanes) => Lanes): Lanes => {
    const double = (lanes: Lanes): Lanes => s.op('f64x2.convert_low_i32x4_s', of(lanes));
    return s.op('i32x4.trunc_sat_f64x2_s_zero', s.op('f64x2.floor', s.op('f64x2.div', double(a), double(b))));
  };
  const quotient = s.shuffle(
    [0, 1, 4, 5],
    half((lanes) => lanes),
    half((lanes) => s.shuffle([2, 3, 2, 3], lanes, lanes)),
  );
  const wrapping = s.select(s.op('i32x4.eq', b, s.int(-1)), s.op('i32x4.neg', a), quotient);
  return s.op('v128.and', wrapping, s.op('i32x4.ne', b, s.zero()));
}

/** a - b floor(a / b) of 32-bit ints; zero where b is. */
export function modInt(s: Simd, a: Lanes, b: Lanes): Lanes {
  const rest = s.op('i32x4.sub', a, s.op('i32x4.mul', b, floorDivInt(s, a, b)));
  return s.op('v128.and', rest, s.op('i32x4.ne', b, s.zero()));
}

/** By a power of two: a shift, and the lowest bits. */
export const floorDivShift = (s: Simd, a: Lanes, bits: number): Lanes => s.shift('i32x4.shr_s', a, bits);
export const modMask = (s: Simd, a: Lanes, bits: number): Lanes => s.op('v128.and', a, s.int(2 ** bits - 1));
