// log and log1p. WGSL's own log is only right to 2^-21 near one.

import { float } from '../lanes.ts';
import { define, type Parts, polynomial } from './define.ts';
import { LOG2_HIGH, LOG2_LOW } from './exponential.ts';
import { INFINITY_BITS, NAN_BITS } from './special.ts';

/** log(1 + r) = r - r²/2 + r³ p(r) for 1 + r between sqrt(1/2) and sqrt(2). Cephes, logf.c (Moshier 1989). */
const TAIL = [
  7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
  2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
];
/** The bits of sqrt(1/2), and of 1 less those. */
const ROOT = '0x3f3504f3u';
const ONE_LESS_ROOT = '0x004afb0du';

/** `small`, so that log(1 + r) = r + small + e log 2. */
const tail = (parts: Parts, r: string, e: string): string => {
  const { F } = parts;
  return `fma(${F}(-0.5), ${r} * ${r}, fma(${e}, ${F}(${float(LOG2_LOW)}), (${polynomial(parts, r, TAIL)}) * (${r} * ${r}) * ${r}))`;
};

/** The natural logarithm: within 0.8 ulp, for subnormal numbers too; -infinity at zero, NaN below. */
export const log = define('log_of', (parts) => {
  const { name, F, I, U } = parts;
  return `fn ${name}(x: ${F}) -> ${F} {
  let given = bitcast<${U}>(x);
  // A subnormal number is its bits times 2^-149. Devices may take it for zero, but not its bits.
  let tiny = given < ${U}(0x00800000u);
  let bits = select(given, bitcast<${U}>(${F}(given)), tiny) + ${U}(${ONE_LESS_ROOT});
  let e = ${F}(${I}(bits >> ${U}(23u)) - select(${I}(127), ${I}(276), tiny));
  let r = bitcast<${F}>((bits & ${U}(0x007fffffu)) + ${U}(${ROOT})) - ${F}(1.0);
  let finite = bitcast<${U}>(fma(e, ${F}(${float(LOG2_HIGH)}), r + ${tail(parts, 'r', 'e')}));
  // Infinity and NaN give themselves; zero and what is below: -infinity and NaN.
  let most = select(finite, given, given >= ${U}(${INFINITY_BITS}));
  let below = select(most, ${U}(${NAN_BITS}), given > ${U}(0x80000000u));
  return bitcast<${F}>(select(below, ${U}(0xff800000u), (given << ${U}(1u)) == ${U}(0u)));
}`;
});

/** log(1 + x), exact near zero: within 2.4 ulp. */
export const log1p = define('log1p', (parts) => {
  const { name, F, use } = parts;
  return `fn ${name}(x: ${F}) -> ${F} {
  let near = x + ${tail(parts, 'x', `${F}(0.0)`)};
  let u = x + ${F}(1.0);
  // What the sum has lost (Kahan). A compiler that takes it for zero costs one ulp.
  let lost = x - (u - ${F}(1.0));
  let known = select(${F}(0.0), lost / u, (x > ${F}(-1.0)) & (x < ${F}(16777216.0)));
  let far = ${use(log)}(u) + known;
  let itself = abs(x) < ${F}(1e-9f);
  return select(select(far, near, (x > ${F}(-0.29f)) & (x < ${F}(0.41f))), x, itself);
}`;
});
