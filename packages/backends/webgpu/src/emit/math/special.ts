// Infinity and NaN. WGSL refuses constant expressions that give them, and lets drivers assume that they never occur: they
// are made, told apart and chosen as integers, about which nothing is assumed.

import { define, type Parts } from './define.ts';

export const INFINITY_BITS = '0x7f800000u';
export const NAN_BITS = '0x7fc00000u';
const NEGATIVE_INFINITY_BITS = '0xff800000u';

const value = (name: string, bits: string) =>
  define(
    name,
    // Through a variable it is no constant expression.
    ({ name, F, U }) => `fn ${name}() -> ${F} {
  var bits = ${U}(${bits});
  return bitcast<${F}>(bits);
}`,
  );

export const infinity = value('infinity', INFINITY_BITS);
export const negativeInfinity = value('negative_infinity', NEGATIVE_INFINITY_BITS);
export const nan = value('nan', NAN_BITS);

/** Whether an f32 is minus infinity. */
export const isNegativeInfinity = (one: string): string =>
  `(bitcast<u32>(${one}) == ${NEGATIVE_INFINITY_BITS})`;

/** Whether the float whose bits are given is NaN. */
export const nanBits = ({ U }: Parts, bits: string): string =>
  `((${bits} & ${U}(0x7fffffffu)) > ${U}(${INFINITY_BITS}))`;

/** Whether it is infinite or NaN. */
export const strangeBits = ({ U }: Parts, bits: string): string =>
  `((${bits} & ${U}(0x7fffffffu)) >= ${U}(${INFINITY_BITS}))`;

/** `value`, or NaN where the condition holds. */
export const nanWhere = ({ F, U }: Parts, condition: string, value: string): string =>
  `bitcast<${F}>(select(bitcast<${U}>(${value}), ${U}(${NAN_BITS}), ${condition}))`;

export const isNan = define(
  'is_nan',
  (parts) => `fn ${parts.name}(x: ${parts.F}) -> ${parts.B} {
  return ${nanBits(parts, `bitcast<${parts.U}>(x)`)};
}`,
);
