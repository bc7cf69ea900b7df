// The table from element-wise ops to instructions: what one element of a node becomes in every lane.
//
// Floats are f32x4, ints i32x4, bools masks of all ones or none.

import type {
  ArithmeticBinary,
  ArithmeticUnary,
  BinaryOp,
  Comparison,
  FloatUnary,
  LogicalBinary,
  Node,
  UnaryOp,
} from '@heed/expr';
import { floorDivFloat, floorDivInt, floorDivShift, modFloat, modInt, modMask } from './math/division.ts';
import { exp, sigmoid } from './math/exponential.ts';
import { erf, tanh } from './math/hyperbolic.ts';
import { log, log1p } from './math/logarithm.ts';
import { pow } from './math/power.ts';
import { random } from './math/random.ts';
import { cos, sin } from './math/trigonometric.ts';
import type { Lanes, Simd, VectorInstruction } from './simd.ts';

/** Ops that do the same to every element. */
export type LanewiseOp = UnaryOp | BinaryOp | 'select' | 'random';

type One = (s: Simd, a: Lanes, node: Node) => Lanes;
type Two = (s: Simd, a: Lanes, b: Lanes, node: Node) => Lanes;

const one =
  (name: VectorInstruction): One =>
  (s, a) =>
    s.op(name, a);
const two =
  (name: VectorInstruction): Two =>
  (s, a, b) =>
    s.op(name, a, b);

const signFloat: One = (s, a) => {
  const size = s.op('v128.and', s.op('f32x4.ne', a, s.zero()), s.float(1));
  const signed = s.op('v128.or', size, s.op('v128.and', a, s.int(0x80000000)));
  return s.select(s.op('f32x4.eq', a, a), signed, a);
};
const signInt: One = (s, a) =>
  s.op('i32x4.sub', s.op('i32x4.lt_s', a, s.zero()), s.op('i32x4.gt_s', a, s.zero()));

const onFloat: { readonly [O in ArithmeticUnary | FloatUnary]: One } = {
  neg: one('f32x4.neg'),
  abs: one('f32x4.abs'),
  sign: signFloat,
  exp,
  log,
  log1p,
  tanh,
  sigmoid,
  sqrt: one('f32x4.sqrt'),
  // Both rounded correctly: within 1 ulp together.
  rsqrt: (s, a) => {
    const root = s.op('f32x4.sqrt', a);
    return s.op('f32x4.div', s.float(1), root);
  },
  floor: one('f32x4.floor'),
  erf,
  sin,
  cos,
};

const onInt: { readonly [O in ArithmeticUnary]: One } = {
  neg: one('i32x4.neg'),
  abs: one('i32x4.abs'),
  sign: signInt,
};

/** The value of a literal; undefined for anything else. */
const literal = (node: Node | undefined): number | undefined =>
  node?.op === 'const' ? node.data.value : undefined;
const isNumber = (value: number | undefined): boolean => value !== undefined && !Number.isNaN(value);

/**
 * NaN if either is, for which f32x4.min and max need several instructions on x86-64. Next to a literal one is enough:
 * pmin(a, b) is b < a ? b : a, so that a keeps its NaN.
 */
const extreme =
  (any: 'f32x4.min' | 'f32x4.max', pseudo: 'f32x4.pmin' | 'f32x4.pmax'): Two =>
  (s, a, b, node) => {
    if (isNumber(literal(node.args[1]))) return s.op(pseudo, a, b);
    if (isNumber(literal(node.args[0]))) return s.op(pseudo, b, a);
    return s.op(any, a, b);
  };

const onFloats: { readonly [O in ArithmeticBinary]: Two } = {
  add: two('f32x4.add'),
  sub: two('f32x4.sub'),
  mul: two('f32x4.mul'),
  div: two('f32x4.div'),
  minimum: extreme('f32x4.min', 'f32x4.pmin'),
  maximum: extreme('f32x4.max', 'f32x4.pmax'),
  pow: (s, a, b, node) => {
    const exponent = literal(node.args[1]);
    if (exponent === 1) return a;
    if (exponent === 2) return s.op('f32x4.mul', a, a);
    if (exponent === -1) return s.op('f32x4.div', s.float(1), a);
    return pow(s, a, b);
  },
  mod: modFloat,
  floorDiv: floorDivFloat,
};

/** The bits by which a literal power of two shifts. */
function bitsOf(node: Node | undefined): number | undefined {
  const value = literal(node);
  if (value === undefined || value <= 0) return undefined;
  const bits = Math.log2(value);
  return Number.isInteger(bits) ? bits : undefined;
}

const onInts: { readonly [O in Exclude<ArithmeticBinary, 'div' | 'pow'>]: Two } = {
  add: two('i32x4.add'),
  sub: two('i32x4.sub'),
  mul: two('i32x4.mul'),
  minimum: two('i32x4.min_s'),
  maximum: two('i32x4.max_s'),
  mod: (s, a, b, node) => {
    const bits = bitsOf(node.args[1]);
    return bits === undefined ? modInt(s, a, b) : modMask(s, a, bits);
  },
  floorDiv: (s, a, b, node) => {
    const bits = bitsOf(node.args[1]);
    return bits === undefined ? floorDivInt(s, a, b) : floorDivShift(s, a, bits);
  },
};

const comparing: {
  readonly [O in Comparison]: readonly [floats: VectorInstruction, ints: VectorInstruction];
} = {
  lt: ['f32x4.lt', 'i32x4.lt_s'],
  le: ['f32x4.le', 'i32x4.le_s'],
  gt: ['f32x4.gt', 'i32x4.gt_s'],
  ge: ['f32x4.ge', 'i32x4.ge_s'],
  eq: ['f32x4.eq', 'i32x4.eq'],
  ne: ['f32x4.ne', 'i32x4.ne'],
};

const logic: { readonly [O in LogicalBinary]: VectorInstruction } = { and: 'v128.and', or: 'v128.or' };

const isInt = (node: Node): boolean => node.args[0]?.type.element === 'int';

/** What writes an op's lanes, given those of its arguments. */
export type Write = (s: Simd, args: readonly Lanes[], node: Node) => Lanes;

const unary =
  (floats: One, ints: One = floats): Write =>
  (s, [a], node) =>
    (isInt(node) ? ints : floats)(s, a as Lanes, node);
const binary =
  (floats: Two, ints: Two = floats): Write =>
  (s, [a, b], node) =>
    (isInt(node) ? ints : floats)(s, a as Lanes, b as Lanes, node);

type Record<Ops extends string> = { readonly [O in Ops]: Write };
const each = <T extends object, Ops extends string>(
  table: T,
  write: (of: T[keyof T]) => Write,
): Record<Ops> =>
  Object.fromEntries(Object.entries(table).map(([op, of]) => [op, write(of as T[keyof T])])) as Record<Ops>;

const arithmetic: Record<ArithmeticUnary | ArithmeticBinary> = {
  neg: unary(onFloat.neg, onInt.neg),
  abs: unary(onFloat.abs, onInt.abs),
  sign: unary(onFloat.sign, onInt.sign),
  add: binary(onFloats.add, onInts.add),
  sub: binary(onFloats.sub, onInts.sub),
  mul: binary(onFloats.mul, onInts.mul),
  div: binary(onFloats.div),
  minimum: binary(onFloats.minimum, onInts.minimum),
  maximum: binary(onFloats.maximum, onInts.maximum),
  pow: binary(onFloats.pow),
  mod: binary(onFloats.mod, onInts.mod),
  floorDiv: binary(onFloats.floorDiv, onInts.floorDiv),
};

/** Every element-wise op. The type checker proves that none is missing. */
export const lanewise: { readonly [O in LanewiseOp]: Write } = {
  ...each<typeof onFloat, FloatUnary>(onFloat, (write) => unary(write)),
  ...arithmetic,
  ...each<typeof comparing, Comparison>(comparing, ([floats, ints]) => binary(two(floats), two(ints))),
  ...each<typeof logic, LogicalBinary>(logic, (name) => binary(two(name))),
  not: unary(one('v128.not')),
  toFloat: (s, [a], node) => {
    const { element } = (node.args[0] as Node).type;
    if (element === 'int') return s.op('f32x4.convert_i32x4_s', a as Lanes);
    return element === 'bool' ? s.op('v128.and', a as Lanes, s.float(1)) : (a as Lanes);
  },
  // Saturates, and NaN gives 0, as the language has it.
  toInt: (s, [a], node) =>
    isInt(node) ? (a as Lanes) : s.op('i32x4.trunc_sat_f32x4_s', s.op('f32x4.floor', a as Lanes)),
  select: (s, [condition, then, otherwise]) =>
    s.select(condition as Lanes, then as Lanes, otherwise as Lanes),
  random: (s, [seed, stream, counter, counter2]) =>
    random(s, seed as Lanes, stream as Lanes, counter as Lanes, counter2 as Lanes),
};
