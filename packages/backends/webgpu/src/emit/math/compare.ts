// Comparisons of floats that are right for NaN.

import type { Comparison } from '@heed/expr';
import type { Width } from '../lanes.ts';
import type { ShaderWriter } from '../shader.ts';
import { define, type WidthFunction } from './define.ts';
import { nanBits } from './special.ts';

const equal: WidthFunction = define(
  'equal',
  (parts) => `fn ${parts.name}(a: ${parts.F}, b: ${parts.F}) -> ${parts.B} {
  return (a == b) & !${nanBits(parts, `bitcast<${parts.U}>(a)`)};
}`,
);
const unequal: WidthFunction = define(
  'unequal',
  (parts) => `fn ${parts.name}(a: ${parts.F}, b: ${parts.F}) -> ${parts.B} {
  return !${parts.use(equal)}(a, b);
}`,
);

const infix = { lt: '<', le: '<=', gt: '>', ge: '>=' } as const;

/**
 * An expression, bool in every lane: false where either is NaN, but for `ne`, which is true there.
 *
 * The operators < <= > >= are right for NaN on every device tried. `!=` is wrong on all that Dawn drives by Vulkan, and
 * `==` of a value and itself may be folded to true: these two look at the bits.
 */
export function comparison(shader: ShaderWriter, op: Comparison, width: Width, a: string, b: string): string {
  if (op === 'eq') return `${shader.use(equal(width))}(${a}, ${b})`;
  if (op === 'ne') return `${shader.use(unequal(width))}(${a}, ${b})`;
  return `(${a} ${infix[op]} ${b})`;
}
