// sin and cos, float32 in all lanes, for arguments of any size.
//
// The argument is taken apart in float64 into a whole number of quarter turns and a rest of at most an eighth of a turn:
// by two constants (Cody, Waite) below 2^28, and above by a product of whole numbers with as many bits of 2/pi as matter
// (Payne, Hanek 1983, "Radian reduction for trigonometric functions").

import type { Lanes, Simd } from '../simd.ts';
import type { Callee, Code, Local } from '../wasm/index.ts';

/** pi / 2 in two parts: 25 bits, whose products with a quarter-turn count below 2^28 are exact, and the rest (musl, __rem_pio2f). */
const QUARTER_HIGH = 1.5707963109016418;
const QUARTER_LOW = 1.5893254773528196e-8;
/** From here on the two parts are not enough. */
const HUGE = 2 ** 28;
/** Bits of 2 / pi behind the point (Shewchuk's and fdlibm's table), 32 a word; float32 needs 127 + 96 of them. */
const TWO_OVER_PI = [
  0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab, 0xdebbc561,
];

/** sin(r) = r + r³ p(r²), cos(r) = 1 - r²/2 + r⁴ p(r²) for |r| <= pi / 4. Cephes, sinf.c (Moshier 1989). */
const SIN = [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1];
const COS = [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2];

/** Within 1.6 ulp for every float32; NaN at the infinities. */
export const sin = (s: Simd, x: Lanes): Lanes => turn(s, x, 0);
/** Within 1.6 ulp for every float32; NaN at the infinities. */
export const cos = (s: Simd, x: Lanes): Lanes => turn(s, x, 1);

/** sin(x + quarters * pi / 2) */
function turn(s: Simd, x: Lanes, quarters: 0 | 1): Lanes {
  const [low, high] = [
    reduced(s, s.op('f64x2.promote_low_f32x4', x)),
    reduced(s, s.op('f64x2.promote_low_f32x4', s.shuffle([2, 3, 2, 3], x, x))),
  ];
  const join = (a: Lanes, b: Lanes): Lanes => s.shuffle([0, 1, 4, 5], a, b);
  const rest = join(s.op('f32x4.demote_f64x2_zero', low.rest), s.op('f32x4.demote_f64x2_zero', high.rest));
  const count = join(
    s.op('i32x4.trunc_sat_f64x2_s_zero', low.count),
    s.op('i32x4.trunc_sat_f64x2_s_zero', high.count),
  );
  const near = s.variables(wave(s, rest, count, quarters));
  const far = s.op('f32x4.ge', s.op('f32x4.abs', x), s.float(HUGE));
  const { code } = s;
  for (let i = 0; i < near.length; i++) {
    const [result, mask] = [s.vector(near, i), s.vector(far, i)];
    code.if(code.op('v128.any_true', mask), () => {
      const huge = code.call(hugeTurn(s, quarters), s.pool, s.vector(x, i));
      code.set(result, code.op('v128.bitselect', huge, result, mask));
    });
  }
  return near;
}

/** The whole number of quarter turns in x, and what is left, in float64. */
function reduced(s: Simd, x: Lanes): { readonly count: Lanes; readonly rest: Lanes } {
  const count = s.op('f64x2.nearest', s.op('f64x2.mul', x, s.double(2 / Math.PI)));
  const part = s.op('f64x2.sub', x, s.op('f64x2.mul', count, s.double(QUARTER_HIGH)));
  return { count, rest: s.op('f64x2.sub', part, s.op('f64x2.mul', count, s.double(QUARTER_LOW))) };
}

/** sin(r + (count + quarters) * pi / 2): odd counts are cosines, and every second pair is negative. */
function wave(s: Simd, r: Lanes, count: Lanes, quarters: 0 | 1): Lanes {
  const q = quarters === 0 ? count : s.op('i32x4.add', count, s.int(1));
  const square = s.op('f32x4.mul', r, r);
  const sine = s.madd(s.op('f32x4.mul', s.polynomial(square, SIN), square), r, r);
  const cosine = s.madd(
    s.polynomial(square, COS),
    s.op('f32x4.mul', square, square),
    s.nmadd(square, s.float(0.5), s.float(1)),
  );
  const odd = s.op('i32x4.ne', s.op('v128.and', q, s.int(1)), s.zero());
  const sign = s.shift('i32x4.shl', s.op('v128.and', q, s.int(2)), 30);
  return s.op('v128.xor', s.select(odd, cosine, sine), sign);
}

/** A function of the module: sin or cos of four floats of which one is huge. */
function hugeTurn(s: Simd, quarters: 0 | 1): Callee {
  return s.writer.helper(`huge-turn-${quarters}`, (module) => {
    const table = s.writer.pool.words(TWO_OVER_PI);
    const one = s.writer.helper('quarter-turns', () =>
      module.function(undefined, ['i32', 'f32'], 'i64', (code, pool, x) =>
        quarterTurns(code, pool, table, x),
      ),
    );
    return module.function(undefined, ['i32', 'v128'], 'v128', (code, pool, x) => {
      const inner = s.writer.simd(code, pool, 1);
      const [rest, count] = [code.local('v128'), code.local('v128')];
      for (const at of [0, 1, 2, 3]) {
        const turns = code.let('i64', code.call(one, code.get(pool), code.lane('f32x4.extract_lane', at, x)));
        const whole = code.let('i64', code.op('i64.shr_s', code.op('i64.add', turns, 2n ** 61n), 62n));
        const left = code.op('i64.sub', code.get(turns), code.op('i64.shl', whole, 62n));
        const angle = code.op('f64.mul', code.op('f64.convert_i64_s', left), (Math.PI / 2) * 2 ** -62);
        const narrow = code.let('f32', code.op('f32.demote_f64', angle));
        code.set(rest, code.lane('f32x4.replace_lane', at, rest, narrow));
        code.set(count, code.lane('i32x4.replace_lane', at, code.get(count), code.op('i32.wrap_i64', whole)));
      }
      // Infinity and NaN: x - x is NaN.
      const strange = inner.op('f32x4.sub', [x], [x]);
      code.get(inner.vector(inner.op('f32x4.add', wave(inner, [rest], [count], quarters), strange), 0));
    });
  });
}

/**
 * x in quarter turns, modulo four, with 62 bits behind the point, for |x| >= 1. x = m 2^e with a whole m of 24 bits; bits
 * of 2/pi that make multiples of four are left out, so m times the next 96 bits is all that matters.
 */
function quarterTurns(code: Code, pool: Local<'i32'>, table: number, x: Local<'f32'>): void {
  const bits = code.let('i32', code.op('i32.reinterpret_f32', x));
  const mantissa = code.let(
    'i64',
    code.op('i64.extend_i32_u', code.op('i32.or', code.op('i32.and', bits, 0x7fffff), 0x800000)),
  );
  // The first bit that matters has the weight 2 quarter turns: the one at place e - 1 (from 1), e = exponent - 150.
  const exponent = code.op('i32.and', code.op('i32.shr_u', bits, 23), 0xff);
  const first = code.let('i32', code.op('i32.sub', exponent, 152));
  // Places below zero (|x| < 2^25) never come here; NaN and infinity read within the table.
  const clamped = code.let(
    'i32',
    code.select('i32', code.get(first), code.i32(0), code.op('i32.gt_s', first, 0)),
  );
  const at = code.let(
    'i32',
    code.op('i32.add', code.op('i32.shl', code.op('i32.shr_u', clamped, 5), 2), pool),
  );
  const shift = code.let('i64', code.op('i64.extend_i32_u', code.op('i32.and', clamped, 31)));
  const word = (i: number) => code.op('i64.extend_i32_u', code.load('i32.load', at, table + 4 * i));
  const pair = (i: number): Local<'i64'> =>
    code.let('i64', code.op('i64.or', code.op('i64.shl', word(i), 32n), word(i + 1)));
  // Bits [shift, shift + 64) and [shift + 64, shift + 96) of the words from `at` on.
  const [a, b] = [pair(0), pair(2)];
  const back = code.let('i64', code.op('i64.sub', code.i64(64n), shift));
  // A shift by 64 would be one by 0.
  const spill = code.op(
    'i64.shr_u',
    code.op('i64.shr_u', b, 1n),
    code.op('i64.sub', code.get(back), code.i64(1n)),
  );
  const upper = code.let('i64', code.op('i64.or', spill, code.op('i64.shl', a, shift)));
  const lower = code.op('i64.shr_u', code.op('i64.shl', b, shift), 32n);
  const carry = code.let('i64', code.op('i64.shr_u', code.op('i64.mul', lower, mantissa), 32n));
  const turns = code.let('i64', code.op('i64.add', code.op('i64.mul', upper, mantissa), carry));
  const negative = code.let('i64', code.op('i64.sub', code.i64(0n), turns));
  code.select('i64', code.get(negative), code.get(turns), code.op('i32.lt_s', bits, 0));
}
