// What every element-wise op does to numbers. Tables by op: the evaluator runs them, the simplifier folds with them.
// Bools are the numbers 0 and 1. Ints are 32-bit two's complement and wrap.

import { erf } from './erf.ts';
import type { ArithmeticBinary, ArithmeticUnary, Comparison, FloatUnary, LogicalBinary } from './op.ts';

type One = (a: number) => number;
type Two = (a: number, b: number) => number;

const bit = (condition: boolean): number => (condition ? 1 : 0);

/** NaN in, NaN out, for all of these; outside its domain a function gives NaN (sqrt, log) as in IEEE 754. */
export const onFloat: { readonly [O in ArithmeticUnary | FloatUnary]: One } = {
  neg: (a) => -a,
  abs: Math.abs,
  // sign(0) = 0.
  sign: Math.sign,
  exp: Math.exp,
  log: Math.log,
  log1p: Math.log1p,
  tanh: Math.tanh,
  // exp of a positive number would overflow and give infinity / infinity.
  sigmoid: (a) => (a >= 0 ? 1 / (1 + Math.exp(-a)) : Math.exp(a) / (1 + Math.exp(a))),
  sqrt: Math.sqrt,
  rsqrt: (a) => 1 / Math.sqrt(a),
  floor: Math.floor,
  erf,
  sin: Math.sin,
  cos: Math.cos,
};

/** The smallest int has no positive counterpart: neg and abs give it back. */
export const onInt: { readonly [O in ArithmeticUnary]: One } = {
  neg: (a) => -a | 0,
  abs: (a) => Math.abs(a) | 0,
  sign: Math.sign,
};

export const onFloats: { readonly [O in ArithmeticBinary]: Two } = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  // NaN if either is.
  minimum: Math.min,
  maximum: Math.max,
  // JavaScript's, in which pow(1, NaN) is NaN and pow(NaN, 0) is 1; squares are rounded once.
  pow: (a, b) => (b === 2 ? a * a : a ** b),
  // Literally so, also where a / b rounds, overflows or is NaN.
  mod: (a, b) => a - b * Math.floor(a / b),
  floorDiv: (a, b) => Math.floor(a / b),
};

/** Division by zero has no int to give: floorDiv and mod give 0. */
export const onInts: { readonly [O in Exclude<ArithmeticBinary, 'div' | 'pow'>]: Two } = {
  add: (a, b) => (a + b) | 0,
  sub: (a, b) => (a - b) | 0,
  mul: Math.imul,
  minimum: Math.min,
  maximum: Math.max,
  mod: (a, b) => (b === 0 ? 0 : (a - b * Math.floor(a / b)) | 0),
  floorDiv: (a, b) => (b === 0 ? 0 : Math.floor(a / b) | 0),
};

/** With NaN only `ne` is true. */
export const comparing: { readonly [O in Comparison]: Two } = {
  lt: (a, b) => bit(a < b),
  le: (a, b) => bit(a <= b),
  gt: (a, b) => bit(a > b),
  ge: (a, b) => bit(a >= b),
  eq: (a, b) => bit(a === b),
  ne: (a, b) => bit(a !== b),
};

export const onBools: { readonly [O in LogicalBinary]: Two } = {
  and: (a, b) => a & b,
  or: (a, b) => a | b,
};

export const INT_LOW = -(2 ** 31);
export const INT_HIGH = 2 ** 31 - 1;

/** Towards minus infinity; what does not fit saturates; NaN gives 0. */
export const floatToInt = (a: number): number =>
  Number.isNaN(a) ? 0 : Math.min(Math.max(Math.floor(a), INT_LOW), INT_HIGH) | 0;
