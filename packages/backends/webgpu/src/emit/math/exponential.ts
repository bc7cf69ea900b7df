// exp and sigmoid. WGSL's own exp may be 3 + 2|x| ulp off.

import { float } from '../lanes.ts';
import { define, type Parts, polynomial } from './define.ts';
import { nanBits } from './special.ts';

/** exp(r) = 1 + r + r² p(r) for |r| <= log(2) / 2. Cephes, expf.c (Moshier 1989). */
const TAIL = [
  1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1,
];
/** log(2) in two parts; whole multiples up to 2^13 of the first, 355 / 512, are exact. */
export const LOG2_HIGH = 0.693359375;
export const LOG2_LOW = -2.1219444e-4;
/** Below and above, exp is 0 and infinity in float32. */
const LEAST = -104;
const MOST = 89;

/**
 * p 2^n for p between 1/2 and 2, and for n of which the sum with 2^8 fits; zero where that is subnormal. A product of
 * powers of two would do, but for compilers that multiply these first.
 */
export const scale = define(
  'scale',
  ({ name, F, I, U }) => `fn ${name}(p: ${F}, n: ${I}) -> ${F} {
  let bits = bitcast<${I}>(p);
  let exponent = (bits >> ${U}(23u)) + n;
  let normal = select(bits + (n << ${U}(23u)), ${I}(0), exponent <= ${I}(0));
  return bitcast<${F}>(select(normal, ${I}(0x7f800000), exponent >= ${I}(255)));
}`,
);

/** e to the power of x: within 1 ulp; below 2^-126 zero. */
export const exp = define('exp_of', (parts) => {
  const { name, F, I, use } = parts;
  return `fn ${name}(x: ${F}) -> ${F} {
  let t = clamp(x, ${F}(${float(LEAST)}), ${F}(${float(MOST)}));
  let n = ${I}(round(t * ${F}(${float(Math.LOG2E)})));
  // Whole numbers, for compilers add the two parts of log(2) where both multiply the same float.
  let rest = fma(${F}(n * ${I}(355)), ${F}(${float(-1 / 512)}), t);
  let r = fma(${F}(n), ${F}(${float(-LOG2_LOW)}), rest);
  let p = fma(${polynomial(parts, 'r', TAIL)}, r * r, r) + ${F}(1.0);
  return ${keepNan(parts, `${use(scale)}(p, n)`)};
}`;
});

/**
 * e to the power of x, by the device's own exp, for weights of which the largest is near one: its error, 3 + 2|x| ulp, is
 * below 4 ulp of one for all x <= 0.
 */
export const softmaxExp = define(
  'softmax_exp',
  (parts) => `fn ${parts.name}(x: ${parts.F}) -> ${parts.F} {
  return ${keepNan(parts, 'exp(x)')};
}`,
);

/** `value`, but x where x is NaN. */
const keepNan = (parts: Parts, value: string): string =>
  `bitcast<${parts.F}>(select(bitcast<${parts.U}>(${value}), bitcast<${parts.U}>(x), ${nanBits(parts, `bitcast<${parts.U}>(x)`)}))`;

/** 1 / (1 + exp(-x)): within 2.2 ulp; below 2^-126 zero. */
export const sigmoid = define('sigmoid', ({ name, F, use }) => {
  return `fn ${name}(x: ${F}) -> ${F} {
  // exp of a positive number would overflow and give infinity / infinity.
  let e = ${use(exp)}(-abs(x));
  return select(${F}(1.0), e, x < ${F}(0.0)) / (e + ${F}(1.0));
}`;
});
