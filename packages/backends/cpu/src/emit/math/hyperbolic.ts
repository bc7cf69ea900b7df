// tanh and erf, float32 in all lanes: odd rational functions, one division each.

import type { Lanes, Simd } from '../simd.ts';

interface Rational {
  /** Arguments are brought within plus and minus this one. */
  readonly bound: number;
  readonly top: readonly number[];
  readonly bottom: readonly number[];
}

/** tanh(x) = x p(x²) / q(x²) for |x| <= 7.9053111, where tanh rounds to one. Coefficients as published with Eigen's. */
const TANH = {
  bound: 7.905311107635498,
  top: [
    -2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-8,
    1.48572235717979e-5, 6.37261928875436e-4, 4.89352455891786e-3,
  ],
  bottom: [1.19825839466702e-6, 1.18534705686654e-4, 2.268434632439e-3, 4.89352518554385e-3],
};
const ERF = {
  bound: 4,
  top: [
    -2.72614225801306e-10, 2.77068142495902e-8, -2.10102402082508e-6, -5.69250639462346e-5,
    -7.34990630326855e-4, -2.95459980854025e-3, -1.60960333262415e-2,
  ],
  bottom: [
    -1.45660718464996e-5, -2.13374055278905e-4, -1.68282697438203e-3, -7.37332916720468e-3,
    -1.42647390514189e-2,
  ],
};

/** The same function with q(0) = 1, so that the smallest arguments are not multiplied into denormals. */
const normalised = ({ bound, top, bottom }: Rational): Rational => {
  const last = bottom.at(-1) as number;
  return { bound, top: top.map((c) => c / last), bottom: bottom.map((c) => c / last) };
};

function rational(s: Simd, given: Lanes, { bound, top, bottom }: Rational): Lanes {
  const x = s.op('f32x4.pmin', s.op('f32x4.pmax', given, s.float(-bound)), s.float(bound));
  const flat = s.op('f32x4.ge', s.op('f32x4.abs', given), s.float(bound));
  const square = s.op('f32x4.mul', x, x);
  const quotient = s.op(
    'f32x4.div',
    s.op('f32x4.mul', s.polynomial(square, top), x),
    s.polynomial(square, bottom),
  );
  // Rounding must not take it beyond one: users compute sqrt(1 - y²) and the like.
  const within = s.op('f32x4.pmin', s.op('f32x4.pmax', quotient, s.float(-1)), s.float(1));
  // Nor may it stay short of one where it is flat: users compute x (1 + y) for x of any size.
  const one = s.op('v128.bitselect', s.float(1), given, s.int(0x7fffffff));
  return s.op('v128.bitselect', one, within, flat);
}

/** Within 5.5 ulp (4e-7 absolute, where it is close to one), never beyond one. */
export const tanh = (s: Simd, x: Lanes): Lanes => rational(s, x, normalised(TANH));
/** Within 7 ulp (4e-7 absolute, where it is close to one), never beyond one. */
export const erf = (s: Simd, x: Lanes): Lanes => rational(s, x, normalised(ERF));
