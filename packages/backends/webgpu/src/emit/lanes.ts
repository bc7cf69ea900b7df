// Lanes: the numbers that one invocation computes side by side, as WGSL text.

import type { Element } from '@heed/expr';

/** How many numbers one WGSL value holds: a scalar, or a vec4. */
export type Width = 1 | 4;

/**
 * The same formula for a group of WGSL values, each of `width` numbers: names or short expressions without effects. A map
 * computes one scalar at a time; an attention a few queries (the group) by four keys (the width).
 */
export type Lanes = readonly string[];

const scalars: { readonly [E in Element]: string } = { float: 'f32', int: 'i32', bool: 'bool' };

/** The WGSL type that holds `width` numbers of an element. */
export const typeOf = (element: Element, width: Width): string =>
  width === 1 ? scalars[element] : `vec4<${scalars[element]}>`;

/** A finite number as a WGSL literal of f32; the sign of zero is kept. */
export function float(value: number): string {
  const rounded = Math.fround(value);
  if (!Number.isFinite(rounded)) throw new RangeError(`WGSL has no literal for ${value}.`);
  const text = Object.is(rounded, -0) ? '-0.0' : String(rounded);
  return `${/[.e]/.test(text) ? text : `${text}.0`}f`;
}

/** An int as a WGSL literal of i32. */
export const int = (value: number): string => (value === -(2 ** 31) ? 'i32(-2147483647 - 1)' : `${value}i`);
