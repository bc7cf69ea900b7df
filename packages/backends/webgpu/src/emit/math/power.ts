// pow, computed as 2^(b log2 |a|) with some 36 bits on the way, so that large exponents keep their digits.
//
// A number of many digits is the sum of two floats. The first is cut to 12 bits, so that its products are exact without
// a fused multiplication, and cut as an integer, so that no compiler can take the second for zero.

import { float } from '../lanes.ts';
import { cut, define, polynomial } from './define.ts';
import { scale } from './exponential.ts';
import { INFINITY_BITS, NAN_BITS, nanBits } from './special.ts';

/** log2(m) = 2 / log(2) (t + t³ p(t²)), t = (m - 1) / (m + 1), for m within sqrt(2) of one. */
const ATANH = [1 / 11, 1 / 9, 1 / 7, 1 / 5, 1 / 3].map((c) => (c * 2) / Math.LN2);
/** 2 / log(2): 12 bits and the rest. */
const FACTOR = 2 / Math.LN2;
const FACTOR_HIGH = Math.floor(FACTOR * 2 ** 10) / 2 ** 10;
/** 2^f = sum of (f log 2)^n / n!. */
const POWER = Array.from({ length: 8 }, (_, i) => {
  const n = 7 - i;
  let factorial = 1;
  for (let k = 2; k <= n; k++) factorial *= k;
  return Math.LN2 ** n / factorial;
});

/**
 * a to the power of b as JavaScript has it: pow(x, 0) = 1 even for NaN, pow(1, infinity) = NaN, negative bases only with
 * whole exponents. Within 1.8 ulp; below 2^-126 zero.
 */
export const pow = define('pow_of', (parts) => {
  const { name, F, I, U, use } = parts;
  const head = use(cut);
  return `fn ${name}(a: ${F}, b: ${F}) -> ${F} {
  let u = bitcast<${U}>(a);
  let v = bitcast<${U}>(b);
  let size = u & ${U}(0x7fffffffu);
  let reach = v & ${U}(0x7fffffffu);
  // |a| = m 2^e, m = 1 + f between sqrt(1/2) and sqrt(2).
  let tiny = size < ${U}(0x00800000u);
  let bits = select(size, bitcast<${U}>(${F}(size)), tiny) + ${U}(0x004afb0du);
  let e = ${F}(${I}(bits >> ${U}(23u)) - select(${I}(127), ${I}(276), tiny));
  let f = bitcast<${F}>((bits & ${U}(0x007fffffu)) + ${U}(0x3f3504f3u)) - ${F}(1.0);
  // t = f / (2 + f) in two parts.
  let f_high = ${head}(f);
  let sum = ${F}(2.0) + f;
  let t_high = ${head}(f / sum);
  let t_low = (((f - ${F}(2.0) * t_high) - t_high * f_high) - t_high * (f - f_high)) / sum;
  // log2 |a| in two parts.
  let t = t_high + t_low;
  let square = t * t;
  let main = t_high * ${F}(${float(FACTOR_HIGH)});
  let odd_powers = ${polynomial(parts, 'square', ATANH)} * square * t;
  let rest = fma(t_low, ${F}(${float(FACTOR)}), fma(t_high, ${F}(${float(FACTOR - FACTOR_HIGH)}), odd_powers));
  let log_high = ${head}(e + (main + rest));
  let log_low = ((e - log_high) + main) + rest;
  // The exponent. Beyond 2^34 every base but one has left the range of floats.
  let y = clamp(b, ${F}(-17179869184.0), ${F}(17179869184.0));
  let y_high = ${head}(y);
  let product = y_high * log_high;
  let product_rest = fma(y - y_high, log_high, y * log_low);
  let n = round(clamp(product + product_rest, ${F}(-160.0), ${F}(130.0)));
  let fraction = clamp((product - n) + product_rest, ${F}(-1.0), ${F}(1.0));
  let finite = bitcast<${U}>(${use(scale)}(${polynomial(parts, 'fraction', POWER)}, ${I}(n)));
  // Zero, infinity, and infinite exponents.
  let far = (size == ${U}(0u)) | (size == ${U}(${INFINITY_BITS})) | (reach == ${U}(${INFINITY_BITS}));
  let up = (size > ${U}(0x3f800000u)) != (v > ${U}(0x7fffffffu));
  let positive = select(finite, select(${U}(0u), ${U}(${INFINITY_BITS}), up), far);
  // Floats from 2^24 on are whole and even.
  let large = reach >= ${U}(0x4b800000u);
  let count = ${I}(select(b, ${F}(0.0), large));
  let whole = large | (${F}(count) == b);
  let odd = whole & ((count & ${I}(1)) == ${I}(1));
  let signed = positive | select(${U}(0u), u & ${U}(0x80000000u), odd);
  let undefined = ((u > ${U}(0x80000000u)) & (u < ${U}(0xff800000u)) & !whole)
    | ((size == ${U}(0x3f800000u)) & (reach == ${U}(${INFINITY_BITS})))
    | ${nanBits(parts, 'u')} | ${nanBits(parts, 'v')};
  let known = select(signed, ${U}(${NAN_BITS}), undefined);
  return bitcast<${F}>(select(known, ${U}(0x3f800000u), reach == ${U}(0u)));
}`;
});
