// The smaller and the larger of two floats.

import { define } from './define.ts';
import { nanBits, nanWhere } from './special.ts';

/** NaN wins, and of two zeros the one that the bits' operator leaves. */
const extreme = (name: string, comparison: '<' | '>', zero: '&' | '|') =>
  define(name, (parts) => {
    const { name, F, U } = parts;
    return `fn ${name}(a: ${F}, b: ${F}) -> ${F} {
  let u = bitcast<${U}>(a);
  let v = bitcast<${U}>(b);
  let unequal = select(a, b, b ${comparison} a);
  let one = select(unequal, bitcast<${F}>(u ${zero} v), a == b);
  return ${nanWhere(parts, `${nanBits(parts, 'u')} | ${nanBits(parts, 'v')}`, 'one')};
}`;
  });

/** NaN if either is; -0 is below 0. */
export const minimum = extreme('minimum', '<', '|');
/** NaN if either is; 0 is above -0. */
export const maximum = extreme('maximum', '>', '&');
