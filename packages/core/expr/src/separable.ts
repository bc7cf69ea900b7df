// Functions of a sum over both sides as products over the sides: exp(x + y) = exp(x) exp(y), and what is made of it.

import { filled, isLiteral, literalBy, make, over, times } from './algebra.ts';
import type { Node } from './node.ts';
import type { Side, Sides } from './side.ts';
import type { Dim } from './type.ts';

/**
 * How large an exponent on one side may be: |x| <= 34 in exp(x).
 *
 * Then exp(x) exp(y) lies between exp(-68) = 3e-30 and exp(68) = 3e29: in float32 neither factor nor product overflows,
 * vanishes or goes subnormal, so infinity times zero cannot arise, and every factor has its full relative precision. (Up
 * to 43 would do for that much. This leaves room for the product of the product and a weight of 1e8, so that a kernel may
 * bring two quotients onto one denominator: (a y + b x) / (x y) has a finite numerator where x y overflows.)
 */
export const EXPONENT = 34;

/** A literal times a one-sided part. */
interface Part {
  readonly factor: number;
  readonly node: Node;
}

/** exp(scale * z), as two factors of one side each, and the inputs that it is made of. */
export interface Separated {
  /** The exponents of the first and of the second side. */
  readonly exponents: readonly [Node, Node];
  readonly limits: readonly { readonly input: string; readonly limit: number }[];
  /** Whether computing the exponents rounds nothing. */
  readonly exact: boolean;
}

/** exp(scale * z) as exp(first) exp(second); null where z is not such a sum of inputs. */
export function separate(sides: Sides, z: Node, scale: number): Separated | null {
  if (!sides.isPair(z)) return null;
  const parts = partsOf(sides, z, scale);
  if (!parts) return null;
  const on = (side: Side): Part[] => parts.filter(({ node }) => sides.of(node) === side);
  const [shared, first, second] = [on(0), on(1), on(2)];
  if (first.length === 0 || second.length === 0) return null;
  // What lies on neither side goes with a side whose rows may vary along its axes.
  const fits = (group: readonly Part[]): boolean =>
    !sides.isPair(...[...shared, ...group].map(({ node }) => node));
  const groups = fits(first)
    ? [[...first, ...shared], second]
    : fits(second)
      ? [first, [...second, ...shared]]
      : null;
  if (!groups) return null;
  const limits = groups.flatMap(limitsOf);
  if (limits.some(({ limit }) => limit <= 0)) return null;
  const exponents = groups.map(exponentOf) as [Node, Node];
  const { dims } = z.type;
  // Both sides scalars, repeated: one of them takes on the shape.
  if (exponents.every((one) => one.type.dims.length < dims.length))
    exponents[0] = filled(exponents[0], dims[0] as Dim);
  return { exponents, limits, exact: groups.every(isExact) };
}

/** z as a sum of one-sided inputs with literal factors, and literals; null for anything else. */
function partsOf(sides: Sides, z: Node, factor: number): Part[] | null {
  const [a, b] = z.args as readonly [Node, Node];
  const both = (sign: number): Part[] | null => {
    const [left, right] = [partsOf(sides, a, factor), partsOf(sides, b, factor * sign)];
    return left && right && [...left, ...right];
  };
  if (isLiteral(z)) return [{ factor: factor * z.data.value, node: literalBy(z, 1) }];
  switch (z.op) {
    case 'add':
      return both(1);
    case 'sub':
      return both(-1);
    case 'neg':
      return partsOf(sides, a, -factor);
    case 'mul':
      if (isLiteral(a)) return partsOf(sides, b, factor * a.data.value);
      return isLiteral(b) ? partsOf(sides, a, factor * b.data.value) : null;
    case 'div':
      return isLiteral(b) ? partsOf(sides, a, factor / b.data.value) : null;
    default:
      return inputUnder(z) && !sides.isPair(z) ? [{ factor, node: z }] : null;
  }
}

/** The float input that a node is a view of. */
function inputUnder(node: Node): string | null {
  let one = node;
  while (one.op === 'slice' || one.op === 'fill') one = one.args[0] as Node;
  return one.op === 'input' && one.type.element === 'float' && one.type.lookups === 0 ? one.data.name : null;
}

/** How large each input may be so that the whole exponent keeps within `EXPONENT`. */
function limitsOf(parts: readonly Part[]): { input: string; limit: number }[] {
  const offset = parts
    .filter(({ node }) => isLiteral(node))
    .reduce((sum, { factor }) => sum + Math.abs(factor), 0);
  const moving = parts.filter(({ node, factor }) => !isLiteral(node) && factor !== 0);
  return moving.map(({ node, factor }) => ({
    input: inputUnder(node) as string,
    limit: (EXPONENT - offset) / (moving.length * Math.abs(factor)),
  }));
}

const isExact = ([part, ...others]: readonly Part[]): boolean =>
  others.length === 0 && Number.isInteger(Math.log2(Math.abs((part as Part).factor)));

const exponentOf = (parts: readonly Part[]): Node =>
  parts
    .map(({ factor, node }) => times(literalBy(node, factor), node))
    .reduce((sum, one) => (one.op === 'neg' ? make('sub', sum, one.args[0] as Node) : make('add', sum, one)));

/** 1 / (product + 1) */
export const reciprocal = (product: Node): Node =>
  over(literalBy(product, 1), make('add', product, literalBy(product, 1)));

/** 1 - 2 u */
export const oneLessTwice = (u: Node): Node => make('sub', literalBy(u, 1), times(literalBy(u, 2), u));

/** 4 u (1 - u) */
export const fourTimesBoth = (u: Node): Node =>
  times(literalBy(u, 4), times(u, make('sub', literalBy(u, 1), u)));
