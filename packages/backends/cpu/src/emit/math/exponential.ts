// exp and exp2, float32 in all lanes.

import type { Lanes, Simd } from '../simd.ts';

/** exp(r) = 1 + r + r² p(r) for |r| <= log(2) / 2. Cephes, expf.c (Moshier 1989). */
const TAIL = [
  1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1,
];
/** log(2) in two parts; whole multiples up to 2^13 of the first are exact. */
const LOG2_HIGH = 0.693359375;
const LOG2_LOW = -2.1219444e-4;
/** Below and above, exp is 0 and infinity in float32. */
const LEAST = -104;
const MOST = 89;

/** 2^f for |f| <= 1/2, relative error 5e-8; the first coefficient is exactly one. Fitted in notes/wasm-prototype.md section 4. */
const POWER = [
  0.00015353361959569156, 0.0013398873852565885, 0.00961843691766262, 0.055503323674201965,
  0.24022647738456726, 0.6931471824645996, 1,
];
/** 1.5 * 2^23: adding it leaves the nearest whole number in the lowest bits. */
const ROUNDER = 12582912;
const ROUNDER_BITS = 0x4b400000;

/** e to the power of x: within 1 ulp, gradual underflow included. */
export function exp(s: Simd, given: Lanes): Lanes {
  // In this order of operands pmax and pmin keep a NaN.
  const x = s.op('f32x4.pmin', s.op('f32x4.pmax', given, s.float(LEAST)), s.float(MOST));
  const t = s.madd(x, s.float(Math.LOG2E), s.float(ROUNDER));
  const n = s.op('f32x4.sub', t, s.float(ROUNDER));
  const r = s.nmadd(n, s.float(LOG2_LOW), s.nmadd(n, s.float(LOG2_HIGH), x));
  const p = s.op('f32x4.add', s.madd(s.polynomial(r, TAIL), s.op('f32x4.mul', r, r), r), s.float(1));
  // n as an int, without a conversion, for which x86-64 has no single instruction that saturates.
  return scale(s, p, s.op('i32x4.sub', t, s.int(ROUNDER_BITS)));
}

/** p 2^n for |n| <= 252, in two steps: the first power of two is always normal, the second may round to a denormal. */
function scale(s: Simd, p: Lanes, n: Lanes): Lanes {
  const half = s.shift('i32x4.shr_s', n, 1);
  const power = (of: Lanes): Lanes => s.shift('i32x4.shl', s.op('i32x4.add', of, s.int(127)), 23);
  return s.op('f32x4.mul', s.op('f32x4.mul', p, power(half)), power(s.op('i32x4.sub', n, half)));
}

/**
 * 2 to the power of x for x up to 127: within 0.95 ulp from -126 on (1.2 without relaxed SIMD); at -127 and below it is
 * exactly zero, so that masked scores of -infinity weigh nothing. NaN stays.
 */
export function exp2(s: Simd, given: Lanes): Lanes {
  const x = s.op('f32x4.pmax', given, s.float(-127));
  const t = s.op('f32x4.add', x, s.float(ROUNDER));
  const f = s.op('f32x4.sub', x, s.op('f32x4.sub', t, s.float(ROUNDER)));
  return s.op('i32x4.add', s.polynomial(f, POWER), s.shift('i32x4.shl', t, 23));
}

/** 1 / (1 + exp(-x)): within 2.3 ulp, also where the result is denormal. */
export function sigmoid(s: Simd, x: Lanes): Lanes {
  // exp of a positive number would overflow and give infinity / infinity.
  const e = exp(s, s.op('f32x4.neg', s.op('f32x4.abs', x)));
  const one = s.float(1);
  const top = s.select(s.op('f32x4.lt', x, s.zero()), e, one);
  return s.op('f32x4.div', top, s.op('f32x4.add', e, s.float(1)));
}
