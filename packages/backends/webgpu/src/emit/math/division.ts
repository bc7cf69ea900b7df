// floorDiv and mod, for floats and for ints.

import { cut, define } from './define.ts';
import { INFINITY_BITS, NAN_BITS, nanBits, nanWhere, strangeBits } from './special.ts';

/** a - b q for a whole q, of which only the end is rounded: products of parts of 12 bits are exact. */
const residual = define('residual', ({ name, F, use }) => {
  const head = use(cut);
  return `fn ${name}(a: ${F}, b: ${F}, q: ${F}) -> ${F} {
  let b_high = ${head}(b);
  let q_high = ${head}(q);
  let b_low = b - b_high;
  let q_low = q - q_high;
  return (((a - b_high * q_high) - b_low * q_high) - b_high * q_low) - b_low * q_low;
}`;
});

/**
 * floor(a / b), as if the quotient were not rounded, up to quotients of 2^24, although WGSL lets a division be 2.5 ulp
 * off; infinite or NaN where b is zero.
 */
export const floorDivFloat = define('floor_div', (parts) => {
  const { name, F, U, use } = parts;
  return `fn ${name}(a: ${F}, b: ${F}) -> ${F} {
  let u = bitcast<${U}>(a);
  let v = bitcast<${U}>(b);
  let near = floor(a / b);
  // The sign of what is left tells whether a whole number is too large, whatever its size is rounded to.
  let rest = ${use(residual)}(a, b, near);
  let next = ${use(residual)}(a, b, near + ${F}(1.0));
  let below = (rest != ${F}(0.0)) & ((rest < ${F}(0.0)) != (b < ${F}(0.0)));
  let above = (next == ${F}(0.0)) | ((next < ${F}(0.0)) == (b < ${F}(0.0)));
  let right = near + select(select(${F}(0.0), ${F}(1.0), above), ${F}(-1.0), below);
  // Infinity times zero is NaN, but not on every device.
  let bits = bitcast<${U}>(select(right, near, ${strangeBits(parts, 'v')}));
  // What a quotient by zero is, WGSL leaves open.
  let infinite = ((u ^ v) & ${U}(0x80000000u)) | ${U}(${INFINITY_BITS});
  let undefined = ${nanBits(parts, 'u')} | ((u << ${U}(1u)) == ${U}(0u));
  let by_zero = select(infinite, ${U}(${NAN_BITS}), undefined);
  return bitcast<${F}>(select(bits, by_zero, (v << ${U}(1u)) == ${U}(0u)));
}`;
});

/** a - b floor(a / b), between 0 and b, for quotients up to 2^24; NaN where a or b is infinite, or b zero. */
export const modFloat = define('mod', (parts) => {
  const { name, F, U, use } = parts;
  return `fn ${name}(a: ${F}, b: ${F}) -> ${F} {
  let rest = ${use(residual)}(a, b, ${use(floorDivFloat)}(a, b));
  let v = bitcast<${U}>(b);
  let undefined = ${strangeBits(parts, `bitcast<${U}>(a)`)} | ${strangeBits(parts, 'v')} | ((v << ${U}(1u)) == ${U}(0u));
  return ${nanWhere(parts, 'undefined', 'rest')};
}`;
});

/** floor(a / b); zero where b is; the least int over -1 wraps. */
export const floorDivInt = define(
  'floor_div_int',
  ({ name, I }) => `fn ${name}(a: ${I}, b: ${I}) -> ${I} {
  let divisor = select(b, ${I}(1), b == ${I}(0));
  // The one quotient that overflows is the dividend itself.
  let wraps = divisor == ${I}(-1);
  let quotient = select(a / select(divisor, ${I}(1), wraps), -a, wraps);
  let rest = a - quotient * divisor;
  let below = (rest != ${I}(0)) & ((rest ^ divisor) < ${I}(0));
  return select(quotient - select(${I}(0), ${I}(1), below), ${I}(0), b == ${I}(0));
}`,
);

/** a - b floor(a / b); zero where b is. */
export const modInt = define(
  'mod_int',
  ({ name, I }) => `fn ${name}(a: ${I}, b: ${I}) -> ${I} {
  // Modulo -1 and modulo zero are zero, as modulo 1 is.
  let divisor = select(b, ${I}(1), (b == ${I}(0)) | (b == ${I}(-1)));
  let rest = a - (a / divisor) * divisor;
  let below = (rest != ${I}(0)) & ((rest ^ divisor) < ${I}(0));
  return rest + select(${I}(0), divisor, below);
}`,
);
