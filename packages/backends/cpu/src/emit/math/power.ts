// pow, float32 in all lanes, computed as 2^(b log2 |a|) in float64 so that large exponents keep their digits.

import type { Lanes, Simd } from '../simd.ts';

/** log2(m) = 2 / log(2) (t + t³/3 + t⁵/5 + ...), t = (m - 1) / (m + 1); relative error 2e-12 for m within sqrt(2) of one. */
const ATANH = [1 / 15, 1 / 13, 1 / 11, 1 / 9, 1 / 7, 1 / 5, 1 / 3, 1].map((c) => (c * 2) / Math.LN2);
/** 2^f = sum of (f log 2)^n / n!; relative error 2e-11 for |f| <= 1/2. */
const POWER = Array.from({ length: 10 }, (_, i) => {
  const n = 9 - i;
  let factorial = 1;
  for (let k = 2; k <= n; k++) factorial *= k;
  return Math.LN2 ** n / factorial;
});
/** Beyond these powers of two float32 holds zero or infinity. */
const RANGE = 200;

/**
 * a to the power of b as JavaScript has it: pow(x, 0) = 1 even for NaN, pow(1, infinity) = NaN, negative bases only with
 * whole exponents. Within 0.51 ulp.
 */
export function pow(s: Simd, a: Lanes, b: Lanes): Lanes {
  const size = s.op('f32x4.abs', a);
  const half = (shuffled: (of: Lanes) => Lanes): Lanes =>
    s.op(
      'f32x4.demote_f64x2_zero',
      powDouble(
        s,
        s.op('f64x2.promote_low_f32x4', shuffled(size)),
        s.op('f64x2.promote_low_f32x4', shuffled(b)),
      ),
    );
  const [low, high] = [half((of) => of), half((of) => s.shuffle([2, 3, 2, 3], of, of))];
  const positive = s.shuffle([0, 1, 4, 5], low, high);
  // The sign of a, where the exponent is odd.
  const whole = s.op('f32x4.eq', s.op('f32x4.floor', b), b);
  const halved = s.op('f32x4.mul', b, s.float(0.5));
  const odd = s.op('v128.and', whole, s.op('f32x4.ne', s.op('f32x4.floor', halved), halved));
  const sign = s.op('v128.and', s.op('v128.and', a, odd), s.int(0x80000000));
  const signed = s.op('v128.or', positive, sign);
  const impossible = s.op('v128.and', s.op('f32x4.lt', a, s.zero()), s.op('v128.not', whole));
  const finite = s.op('f32x4.lt', size, s.float(Infinity));
  const result = s.select(s.op('v128.and', impossible, finite), s.float(NaN), signed);
  return s.select(s.op('f32x4.eq', b, s.zero()), s.float(1), result);
}

/** a to the power of b for a >= 0, of which overflow and underflow begin at 2^200. */
function powDouble(s: Simd, a: Lanes, b: Lanes): Lanes {
  const y = s.op('f64x2.mul', b, log2Double(s, a));
  // In this order of operands pmax and pmin keep a NaN.
  const x = s.op('f64x2.pmin', s.op('f64x2.pmax', y, s.double(-RANGE)), s.double(RANGE));
  const n = s.op('f64x2.nearest', x);
  const f = s.op('f64x2.sub', x, n);
  // Adding 1.5 * 2^52 leaves the whole number in the lowest bits, from where it goes to the exponent.
  const bits = s.op('f64x2.add', n, s.double(1.5 * 2 ** 52));
  const scale = s.shift('i64x2.shl', s.op('i64x2.add', bits, s.words64(1023, 0)), 52);
  return s.op('f64x2.mul', polynomial(s, f, POWER), scale);
}

function log2Double(s: Simd, a: Lanes): Lanes {
  const fraction = s.op('v128.or', s.op('v128.and', a, s.words64(-1, 0xfffff)), s.double(1));
  const above = s.op('f64x2.gt', fraction, s.double(Math.SQRT2));
  const m = s.select(above, s.op('f64x2.mul', fraction, s.double(0.5)), fraction);
  // The exponent's bits behind those of 2^52 make the number 2^52 + exponent.
  const biased = s.op('v128.or', s.shift('i64x2.shr_u', a, 52), s.double(2 ** 52));
  const e = s.op(
    'f64x2.add',
    s.op('f64x2.sub', biased, s.double(2 ** 52 + 1023)),
    s.op('v128.and', above, s.double(1)),
  );
  const t = s.op('f64x2.div', s.op('f64x2.sub', m, s.double(1)), s.op('f64x2.add', m, s.double(1)));
  const log = s.op('f64x2.add', s.op('f64x2.mul', polynomial(s, s.op('f64x2.mul', t, t), ATANH), t), e);
  const finite = s.select(s.op('f64x2.lt', a, s.double(Infinity)), log, a);
  return s.select(s.op('f64x2.eq', a, s.double(0)), s.double(-Infinity), finite);
}

const polynomial = (s: Simd, x: Lanes, [first = 0, ...rest]: readonly number[]): Lanes =>
  rest.reduce(
    (sum, coefficient) => s.op('f64x2.add', s.op('f64x2.mul', sum, x), s.double(coefficient)),
    s.double(first),
  );
