// Neighbouring features of a stored row, as float32 lanes.

import type { StoredDType } from '../access.ts';
import { fromBfloat16, fromFiniteFloat16, fromFloat16, wideningOf } from '../math/half.ts';
import type { Lanes, Simd } from '../simd.ts';
import { dtypeOf, widthOf } from './layout.ts';
import { each, type Int, type Site, scaled, simd, unitWord, type Vector } from './site.ts';

/** Vectors that are best loaded together: bytes are widened eight at a time. */
export const togetherOf = (dtype: StoredDType): 1 | 2 => (dtype === 'int8' ? 2 : 1);

/**
 * Loads `count` vectors of features (one, or as many as are best loaded together), from a row's feature `first` on. Two
 * vectors are parted (see there): every second byte is widened in one instruction, neighbours in two.
 */
export type LoadFeatures = (row: Int, first: number, count: 1 | 2) => Lanes;

/**
 * Writes what reads rows [from, to) of an input of keys, given how to load them. Of float16 in two ways: rows without
 * infinity and NaN, as nearly all are, take half as many instructions, and to look for these takes few.
 */
export function readFeatures(
  site: Site,
  name: string,
  from: Int,
  to: Int,
  write: (load: LoadFeatures) => void,
): void {
  const dtype = dtypeOf(site.design.program, name);
  if (dtype !== 'float16') {
    write(loaderOf(site, dtype));
    return;
  }
  site.code.if(
    writeStrange(site, name, from, to),
    () => write(loaderOf(site, dtype)),
    () => {
      const s = simd(site, 1);
      const widening = wideningOf(s);
      write((row, first) => fromFiniteFloat16(s, loadHalves(site, row, first), widening));
    },
  );
}

/** Whether rows of float16 hold infinity or NaN, or what lies behind them does. */
function writeStrange(site: Site, name: string, from: Int, to: Int): Int {
  const { code, design } = site;
  const s = simd(site, 1);
  const step = unitWord(site, `step:${name}`);
  const row = scaled(site, unitWord(site, `row:${name}`), from, step);
  const exponent = s.int(0x7c007c00);
  const found = s.variables(s.zero());
  each(site, from, to, 1, () => {
    for (let first = 0; first < widthOf(design.program, name); first += 8) {
      const bits = [code.let('v128', code.load('v128.load', row, first * 2))];
      const strange = s.op('i16x8.eq', s.op('v128.and', bits, exponent), exponent);
      s.assign(found, s.op('v128.or', found, strange));
    }
    code.set(row, code.op('i32.add', row, step));
  });
  return code.let('i32', code.op('v128.any_true', s.vector(found, 0)));
}

/** float16 numbers, each with its sign repeated in the upper half of its lane. */
const loadHalves = ({ code }: Site, row: Int, first: number): Lanes => [
  code.let('v128', code.load('v128.load16x4_s', row, first * 2)),
];

function loaderOf(site: Site, dtype: StoredDType): LoadFeatures {
  const { code } = site;
  const s = simd(site, 1);
  const vector = (name: 'v128.load' | 'v128.load16x4_u' | 'v128.load8x8_s', row: Int, at: number): Lanes => [
    code.let('v128', code.load(name, row, at)),
  ];
  if (dtype === 'float16') return (row, first) => fromFloat16(s, loadHalves(site, row, first));
  if (dtype === 'bfloat16') return (row, first) => fromBfloat16(s, vector('v128.load16x4_u', row, first * 2));
  if (dtype !== 'int8') return (row, first) => vector('v128.load', row, first * 4);
  const lower = s.int(1);
  return (row, first, count) => {
    if (count === 1) {
      const narrow = code.load('v128.load32_zero', row, first);
      const wide = code.op('i32x4.extend_low_i16x8_s', code.op('i16x8.extend_low_i8x16_s', narrow));
      return s.op('f32x4.convert_i32x4_s', [code.let('v128', wide)]);
    }
    const wide = vector('v128.load8x8_s', row, first);
    // The lower half of each lane times one, the upper times zero: the lower half with its sign.
    const [even, odd] = [s.op('i32x4.dot_i16x8_s', wide, lower), s.shift('i32x4.shr_s', wide, 16)];
    return s.op('f32x4.convert_i32x4_s', [...even, ...odd]);
  };
}

/** Two vectors of neighbouring features as one of every second feature from the first on, and one of the others. */
export const parted = (s: Simd, [a, b]: Pair): Pair => [
  s.vector(s.shuffle([0, 2, 4, 6], [a], [b]), 0),
  s.vector(s.shuffle([1, 3, 5, 7], [a], [b]), 0),
];

/** The inverse of `parted`. */
export const rejoined = (s: Simd, [even, odd]: Pair): Pair => [
  s.vector(s.shuffle([0, 4, 1, 5], [even], [odd]), 0),
  s.vector(s.shuffle([2, 6, 3, 7], [even], [odd]), 0),
];

type Pair = readonly [Vector, Vector];
