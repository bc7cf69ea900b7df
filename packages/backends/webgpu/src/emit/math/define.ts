// How a WGSL function is written once for scalars and for vec4.

import { float, typeOf, type Width } from '../lanes.ts';
import type { WgslFunction } from '../shader.ts';

/** A function for each width; asked twice, it gives the same object. */
export type WidthFunction = (width: Width) => WgslFunction;

/**
 * What a declaration is written with. The types also serve as constructors: `F(1.0)` is 1 in every lane, which scalars
 * take as well, so that one text does for both widths.
 */
export interface Parts {
  readonly name: string;
  readonly width: Width;
  readonly F: string;
  readonly I: string;
  readonly U: string;
  readonly B: string;
  /** The name of another function, of the same width where it has one, which this one then needs. */
  readonly use: (other: WidthFunction | WgslFunction) => string;
}

/** @param write gives the whole declaration. */
export function define(name: string, write: (parts: Parts) => string): WidthFunction {
  const known = new Map<Width, WgslFunction>();
  return (width) => {
    const found = known.get(width);
    if (found) return found;
    const needs: WgslFunction[] = [];
    const parts: Parts = {
      // Never a number behind the last underscore: such names belong to the statements of a shader.
      name: `${name}_${width === 1 ? 'f32' : 'v4'}`,
      width,
      F: typeOf('float', width),
      I: typeOf('int', width),
      U: width === 1 ? 'u32' : 'vec4<u32>',
      B: typeOf('bool', width),
      use: (other) => {
        const needed = typeof other === 'function' ? other(width) : other;
        needs.push(needed);
        return needed.name;
      },
    };
    const made = { name: parts.name, code: write(parts), needs };
    known.set(width, made);
    return made;
  };
}

/** Horner's scheme, the highest power first, by `fma`, which may round once or twice. */
export const polynomial = ({ F }: Parts, x: string, [first = 0, ...rest]: readonly number[]): string =>
  rest.reduce(
    (sum, coefficient) => `fma(${sum}, ${x}, ${F}(${float(coefficient)}))`,
    `${F}(${float(first)})`,
  );

/**
 * The first 12 bits of a float, so that products with another such are exact without a fused multiplication. They are cut
 * as an integer, so that no compiler can take the rest for zero.
 */
export const cut = define(
  'cut',
  ({ name, F, U }) => `fn ${name}(x: ${F}) -> ${F} {
  return bitcast<${F}>(bitcast<${U}>(x) & ${U}(0xfffff000u));
}`,
);
