// The table from element-wise ops to WGSL: what one element of a node becomes in every lane.

import type {
  ArithmeticBinary,
  ArithmeticUnary,
  BinaryOp,
  Comparison,
  Element,
  FloatUnary,
  LogicalBinary,
  Node,
  UnaryOp,
} from '@heed/expr';
import { typeOf, type Width } from './lanes.ts';
import { comparison } from './math/compare.ts';
import { floorDivFloat, floorDivInt, modFloat, modInt } from './math/division.ts';
import { erf } from './math/erf.ts';
import { exp, sigmoid } from './math/exponential.ts';
import { maximum, minimum } from './math/extreme.ts';
import { tanh } from './math/hyperbolic.ts';
import { log, log1p } from './math/logarithm.ts';
import { pow } from './math/power.ts';
import { random } from './math/random.ts';
import { sign, toInt } from './math/rounding.ts';
import { cos, sin } from './math/trigonometric.ts';
import type { ShaderWriter, WgslFunction } from './shader.ts';

/** Ops that do the same to every element. */
export type LanewiseOp = UnaryOp | BinaryOp | 'select' | 'random';

/** What writes an op for one WGSL value of each argument. */
export type Write = (shader: ShaderWriter, width: Width, args: readonly string[], node: Node) => string;

const call =
  (of: (width: Width) => WgslFunction): Write =>
  (shader, width, args) =>
    `${shader.use(of(width))}(${args.join(', ')})`;
const builtin =
  (name: string): Write =>
  (_, __, args) =>
    `${name}(${args.join(', ')})`;
const infix =
  (operator: string): Write =>
  (_, __, [a, b]) =>
    `(${a} ${operator} ${b})`;
const prefix =
  (operator: string): Write =>
  (_, __, [a]) =>
    `(${operator}${a})`;

const elementOf = (node: Node): Element => (node.args[0] as Node).type.element;
const byElement =
  (floats: Write, ints: Write): Write =>
  (shader, width, args, node) =>
    (elementOf(node) === 'int' ? ints : floats)(shader, width, args, node);

/** The value of a literal; undefined for anything else. */
const literal = (node: Node | undefined): number | undefined =>
  node?.op === 'const' ? node.data.value : undefined;

const floatUnary: { readonly [O in FloatUnary]: Write } = {
  exp: call(exp),
  log: call(log),
  log1p: call(log1p),
  tanh: call(tanh),
  sigmoid: call(sigmoid),
  sqrt: builtin('sqrt'),
  // inverseSqrt may be 2 ulp off; a root and a quotient are nearer on most devices.
  rsqrt: (_, width, [a]) => `(${typeOf('float', width)}(1.0) / sqrt(${a}))`,
  floor: builtin('floor'),
  erf: call(erf),
  sin: call(sin),
  cos: call(cos),
};

const arithmetic: { readonly [O in ArithmeticUnary | ArithmeticBinary]: Write } = {
  neg: prefix('-'),
  abs: builtin('abs'),
  sign: byElement(call(sign), builtin('sign')),
  add: infix('+'),
  sub: infix('-'),
  mul: infix('*'),
  div: infix('/'),
  minimum: byElement(call(minimum), builtin('min')),
  maximum: byElement(call(maximum), builtin('max')),
  pow: (shader, width, args, node) => {
    const [a] = args;
    const exponent = literal(node.args[1]);
    if (exponent === 1) return a as string;
    if (exponent === 2) return `(${a} * ${a})`;
    if (exponent === -1) return `(${typeOf('float', width)}(1.0) / ${a})`;
    return call(pow)(shader, width, args, node);
  },
  mod: byElement(call(modFloat), call(modInt)),
  floorDiv: byElement(call(floorDivFloat), call(floorDivInt)),
};

const comparing = (op: Comparison): Write => {
  const sign = { lt: '<', le: '<=', gt: '>', ge: '>=', eq: '==', ne: '!=' }[op];
  return byElement(
    (shader, width, [a, b]) => comparison(shader, op, width, a as string, b as string),
    infix(sign),
  );
};

const logical: { readonly [O in LogicalBinary]: Write } = {
  // On vectors there are only the operators that compute both sides.
  and: infix('&'),
  or: infix('|'),
};

/** Every element-wise op. The type checker proves that none is missing. */
export const lanewise: { readonly [O in LanewiseOp]: Write } = {
  ...floatUnary,
  ...arithmetic,
  lt: comparing('lt'),
  le: comparing('le'),
  gt: comparing('gt'),
  ge: comparing('ge'),
  eq: comparing('eq'),
  ne: comparing('ne'),
  ...logical,
  not: prefix('!'),
  toFloat: (_, width, [a], node) =>
    elementOf(node) === 'float' ? (a as string) : `${typeOf('float', width)}(${a})`,
  toInt: (shader, width, args, node) =>
    elementOf(node) === 'int' ? (args[0] as string) : call(toInt)(shader, width, args, node),
  select: (_, __, [condition, then, otherwise]) => `select(${otherwise}, ${then}, ${condition})`,
  random: call(random),
};
