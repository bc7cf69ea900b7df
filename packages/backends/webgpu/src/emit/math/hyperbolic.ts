// tanh. WGSL's own may overflow to NaN for arguments of moderate size, and loses all digits near zero.

import { float } from '../lanes.ts';
import { define, polynomial } from './define.ts';

/** tanh(x) = x + x³ p(x²) for |x| < 5/8. Cephes, tanhf.c (Moshier 1989). */
const NEAR = [-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1];

/** Within 2.5 ulp where exp2 is as good as on software devices, 6 where it is only as good as WGSL asks; never beyond one. */
export const tanh = define('tanh_of', (parts) => {
  const { name, F, U } = parts;
  return `fn ${name}(x: ${F}) -> ${F} {
  let size = abs(x);
  // At most one, so that nothing overflows. The error of exp2 counts less the larger the argument, for t is then small.
  let t = exp2(size * ${F}(${float(-2 * Math.LOG2E)}));
  let far = (${F}(1.0) - t) / (${F}(1.0) + t);
  let square = x * x;
  let near = fma(${polynomial(parts, 'square', NEAR)} * square, size, size);
  let result = bitcast<${U}>(select(far, near, size < ${F}(0.625)));
  return bitcast<${F}>(result | (bitcast<${U}>(x) & ${U}(0x80000000u)));
}`;
});
