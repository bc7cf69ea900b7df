// log and log1p, float32 in all lanes.

import type { Lanes, Simd } from '../simd.ts';

/** log(1 + r) = r - r²/2 + r³ p(r) for 1 + r between sqrt(1/2) and sqrt(2). Cephes, logf.c (Moshier 1989). */
const TAIL = [
  7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
  2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
];
const LOG2_HIGH = 0.693359375;
const LOG2_LOW = -2.1219444e-4;
/** The bits of sqrt(1/2) and of 1. */
const ROOT = 0x3f3504f3;
const ONE = 0x3f800000;
const LEAST_NORMAL = 2 ** -126;

/** The natural logarithm: within 0.8 ulp; -infinity at zero, NaN below. */
export function log(s: Simd, x: Lanes): Lanes {
  const denormal = s.op('f32x4.lt', x, s.float(LEAST_NORMAL));
  const bits = s.op(
    'i32x4.add',
    s.select(denormal, s.op('f32x4.mul', x, s.float(2 ** 23)), x),
    s.int(ONE - ROOT),
  );
  const exponent = s.op(
    'i32x4.sub',
    s.op('i32x4.sub', s.shift('i32x4.shr_s', bits, 23), s.int(127)),
    s.op('v128.and', denormal, s.int(23)),
  );
  const e = s.op('f32x4.convert_i32x4_s', exponent);
  const mantissa = s.op('i32x4.add', s.op('v128.and', bits, s.int(0x7fffff)), s.int(ROOT));
  const r = s.op('f32x4.sub', mantissa, s.float(1));
  const square = s.op('f32x4.mul', r, r);
  const cubic = s.op('f32x4.mul', s.op('f32x4.mul', s.polynomial(r, TAIL), square), r);
  const small = s.nmadd(square, s.float(0.5), s.madd(e, s.float(LOG2_LOW), cubic));
  const finite = s.madd(e, s.float(LOG2_HIGH), s.op('f32x4.add', r, small));
  // Infinity and NaN give themselves; zero and what is below: -infinity and NaN.
  const ordinary = s.op('f32x4.lt', x, s.float(Infinity));
  const most = s.select(ordinary, finite, x);
  const below = s.select(s.op('f32x4.eq', x, s.zero()), s.float(-Infinity), s.float(NaN));
  return s.select(s.op('f32x4.le', x, s.zero()), below, most);
}

/** log(1 + x), exact near zero: within 1.5 ulp. log(u) + (x - (u - 1)) / u with u = 1 + x rounded (Kahan). */
export function log1p(s: Simd, x: Lanes): Lanes {
  const u = s.op('f32x4.add', x, s.float(1));
  const lost = s.op('f32x4.sub', x, s.op('f32x4.sub', u, s.float(1)));
  const share = s.op('f32x4.div', lost, u);
  // 0 / 0 at -1, and infinity - infinity at infinity: there nothing was lost.
  const known = s.op('v128.and', share, s.op('f32x4.eq', share, share));
  const sum = s.op('f32x4.add', log(s, u), known);
  return s.select(s.op('f32x4.eq', x, s.zero()), x, sum);
}
