// From floats to whole numbers.

import { define } from './define.ts';
import { nanBits } from './special.ts';

/** -1, 1, or the number itself where it is zero or NaN. */
export const sign = define(
  'sign_of',
  (parts) => `fn ${parts.name}(x: ${parts.F}) -> ${parts.F} {
  let bits = bitcast<${parts.U}>(x);
  let unit = (bits & ${parts.U}(0x80000000u)) | ${parts.U}(0x3f800000u);
  let itself = ((bits << ${parts.U}(1u)) == ${parts.U}(0u)) | ${nanBits(parts, 'bits')};
  return bitcast<${parts.F}>(select(unit, bits, itself));
}`,
);

/** Rounds down; what does not fit saturates; NaN gives 0. */
export const toInt = define('to_int', (parts) => {
  const { name, F, I, U } = parts;
  return `fn ${name}(x: ${F}) -> ${I} {
  // A conversion saturates at the last float below 2^31, which is not the last int.
  let fitting = ${I}(floor(clamp(x, ${F}(-2147483648.0), ${F}(2147483520.0))));
  let saturated = select(fitting, ${I}(2147483647), x >= ${F}(2147483648.0));
  return select(saturated, ${I}(0), ${nanBits(parts, `bitcast<${U}>(x)`)});
}`;
});
