// Floats in fewer bits than 32, as the lower bits of a u32.

import { define } from './define.ts';
import { nanBits } from './special.ts';

/** To the nearest float16, ties to even; NaN to 0x7e00. After F. Giesen, float_to_half_fast3_rtne. */
export const toFloat16 = define('to_float16', (parts) => {
  const { name, F, U } = parts;
  return `fn ${name}(x: ${F}) -> ${U} {
  let bits = bitcast<${U}>(x);
  let size = bits & ${U}(0x7fffffffu);
  // Normal: rebias the exponent and round by adding half a unit less one, and one more where the unit is odd.
  let odd = (size >> ${U}(13u)) & ${U}(1u);
  let normal = (size - ${U}(0x37fff001u) + odd) >> ${U}(13u);
  // Subnormal: adding 0.5 leaves the right bits, rounded by the addition itself.
  let subnormal = bitcast<${U}>(bitcast<${F}>(size) + ${F}(0.5)) - ${U}(0x3f000000u);
  let finite = select(normal, subnormal, size < ${U}(0x38800000u));
  let bounded = select(finite, ${U}(0x7c00u), size >= ${U}(0x47800000u));
  let known = bounded | ((bits >> ${U}(16u)) & ${U}(0x8000u));
  return select(known, ${U}(0x7e00u), ${nanBits(parts, 'bits')});
}`;
});

/** To the nearest bfloat16, ties to even; NaN to 0x7fc0. */
export const toBfloat16 = define('to_bfloat16', (parts) => {
  const { name, F, U } = parts;
  return `fn ${name}(x: ${F}) -> ${U} {
  let bits = bitcast<${U}>(x);
  let odd = (bits >> ${U}(16u)) & ${U}(1u);
  let rounded = (bits + ${U}(0x7fffu) + odd) >> ${U}(16u);
  return select(rounded, ${U}(0x7fc0u), ${nanBits(parts, 'bits')});
}`;
});

/** To the nearest of -128 .. 127, ties to even, as 8 bits; NaN to 0. */
export const toInt8 = define('to_int8', (parts) => {
  const { name, F, I, U } = parts;
  return `fn ${name}(x: ${F}) -> ${U} {
  let bits = bitcast<${U}>(${I}(clamp(round(x), ${F}(-128.0), ${F}(127.0)))) & ${U}(0xffu);
  return select(bits, ${U}(0u), ${nanBits(parts, `bitcast<${U}>(x)`)});
}`;
});
