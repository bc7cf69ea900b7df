// erf: an odd rational function, one division.

import { float } from '../lanes.ts';
import { define, polynomial } from './define.ts';
import { nanBits } from './special.ts';

/** erf(x) = x p(x²) / q(x²) for |x| <= 4, where erf rounds to one. Coefficients as published with Eigen's. */
const BOUND = 4;
const TOP = [
  -2.72614225801306e-10, 2.77068142495902e-8, -2.10102402082508e-6, -5.69250639462346e-5,
  -7.34990630326855e-4, -2.95459980854025e-3, -1.60960333262415e-2,
];
const BOTTOM = [
  -1.45660718464996e-5, -2.13374055278905e-4, -1.68282697438203e-3, -7.37332916720468e-3,
  -1.42647390514189e-2,
];
const LAST = BOTTOM.at(-1) as number;

/** Within 6.5 ulp (4e-7 absolute, where it is close to one), never beyond one. */
export const erf = define('erf', (parts) => {
  const { name, F, U } = parts;
  // With q(0) = 1 the smallest arguments are not multiplied into subnormal numbers.
  const part = (coefficients: readonly number[]): string =>
    polynomial(
      parts,
      'square',
      coefficients.map((c) => c / LAST),
    );
  return `fn ${name}(x: ${F}) -> ${F} {
  let size = min(abs(x), ${F}(${float(BOUND)}));
  let square = size * size;
  let quotient = min(${part(TOP)} * size / ${part(BOTTOM)}, ${F}(1.0));
  let flat = select(quotient, ${F}(1.0), size >= ${F}(${float(BOUND)}));
  let bits = bitcast<${U}>(x);
  let signed = bitcast<${U}>(flat) | (bits & ${U}(0x80000000u));
  return bitcast<${F}>(select(signed, bits, ${nanBits(parts, 'bits')}));
}`;
});
