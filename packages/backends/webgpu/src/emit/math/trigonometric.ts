// sin and cos for arguments of any size. WGSL's own are right to 2^-11 between -pi and pi, and outside to nothing.
//
// The argument is taken apart into a whole number of quarter turns and a rest of at most an eighth of a turn by a product
// of whole numbers with as many bits of 2/pi as matter (Payne, Hanek 1983, "Radian reduction for trigonometric
// functions"): integers, so that no compiler can trade digits for speed.

import type { WgslFunction } from '../shader.ts';
import { define, type Parts, polynomial } from './define.ts';
import { nanWhere, strangeBits } from './special.ts';

/** A word of zeros, and bits of 2/pi behind the point, 32 a word (Shewchuk's and fdlibm's table). */
const TWO_OVER_PI = [
  0, 0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab, 0xdebbc561,
];

/** sin(r) = r + r³ p(r²), cos(r) = 1 - r²/2 + r⁴ p(r²) for |r| <= pi / 4. Cephes, sinf.c (Moshier 1989). */
const SIN = [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1];
const COS = [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2];

/** All 64 bits of a product, the upper half first. */
const wide: WgslFunction = {
  name: 'multiply_wide',
  code: `fn multiply_wide(a: u32, b: u32) -> vec2<u32> {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let middle = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let other = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
  return vec2<u32>((a >> 16u) * (b >> 16u) + (middle >> 16u) + (other >> 16u), a * b);
}`,
};

/**
 * |x| in quarter turns, for |x| >= 1/2: the nearest whole number modulo four, and the bits of the rest in radians.
 * x = m 2^e with a whole m of 24 bits; bits of 2/pi that make multiples of four are left out, so m times the next 96 bits
 * is all that matters. It has 62 bits behind the point.
 */
const quarterTurns: WgslFunction = {
  name: 'quarter_turns',
  needs: [wide],
  code: `fn quarter_turns(bits: u32) -> vec2<u32> {
  var two_over_pi = array<u32, ${TWO_OVER_PI.length}>(${TWO_OVER_PI.map((word) => `${word}u`).join(', ')});
  // The first bit that matters has the weight of two quarter turns.
  let first = clamp((bits >> 23u) & 0xffu, 126u, 254u) - 120u;
  let at = first >> 5u;
  let shift = first & 31u;
  // A shift by 32 is none.
  let w1 = two_over_pi[at + 1u];
  let w2 = two_over_pi[at + 2u];
  let a = (two_over_pi[at] << shift) | ((w1 >> 1u) >> (31u - shift));
  let b = (w1 << shift) | ((w2 >> 1u) >> (31u - shift));
  let c = (w2 << shift) | ((two_over_pi[at + 3u] >> 1u) >> (31u - shift));
  let mantissa = (bits & 0x007fffffu) | 0x00800000u;
  let middle = multiply_wide(b, mantissa);
  let low = middle.y + multiply_wide(c, mantissa).x;
  let high = a * mantissa + middle.x + select(0u, 1u, low < middle.y);
  let count = (high + 0x20000000u) >> 30u;
  // The rest with its sign, then its size with the highest bit set.
  let rest = high - (count << 30u);
  let negative = rest >= 0x80000000u;
  let size_low = select(low, ~low + 1u, negative);
  let size_high = select(rest, ~rest + select(0u, 1u, low == 0u), negative);
  let zeros = countLeadingZeros(size_high);
  let spill = (size_low >> 1u) >> ((31u - zeros) & 31u);
  let size = select((size_high << (zeros & 31u)) | select(spill, 0u, zeros == 0u), size_low, zeros == 32u);
  // Times pi / 2 * 2^31.
  let angle = f32(multiply_wide(size, 0xc90fdaa2u).x) * bitcast<f32>((98u - zeros) << 23u);
  return vec2<u32>(count, bitcast<u32>(angle) | select(0u, 0x80000000u, negative));
}`,
};

/** sin(x + quarters * pi / 2). */
function turn(parts: Parts, quarters: 0 | 1): string {
  const { name, width, F, U, use } = parts;
  const split = use(quarterTurns);
  const lanes = width === 1 ? [''] : ['.x', '.y', '.z', '.w'];
  const gather = (part: 'x' | 'y') => `${U}(${lanes.map((_, i) => `turns${i}.${part}`).join(', ')})`;
  return `fn ${name}(x: ${F}) -> ${F} {
  let given = bitcast<${U}>(x);
  let bits = given & ${U}(0x7fffffffu);
${lanes.map((lane, i) => `  let turns${i} = ${split}(bits${lane});`).join('\n')}
  // Less than an eighth of a turn is its own rest.
  let small = bits < ${U}(0x3f490fdbu);
  let r = bitcast<${F}>(select(${gather('y')}, bits, small));
  // cos is even; the sign of sin is that of x.
  let q = select(${gather('x')}, ${U}(0u), small) + ${U}(${quarters}u);
  let square = r * r;
  let sine = fma(${polynomial(parts, 'square', SIN)} * square, r, r);
  let cosine = fma(${polynomial(parts, 'square', COS)}, square * square, fma(square, ${F}(-0.5), ${F}(1.0)));
  let odd = (q & ${U}(1u)) == ${U}(1u);
  let flip = ((q & ${U}(2u)) << ${U}(30u))${quarters === 0 ? ` ^ (given & ${U}(0x80000000u))` : ''};
  let result = bitcast<${F}>(bitcast<${U}>(select(sine, cosine, odd)) ^ flip);
  return ${nanWhere(parts, strangeBits(parts, 'given'), 'result')};
}`;
}

/** Within 1.8 ulp for every float32; NaN at the infinities. */
export const sin = define('sin_of', (parts) => turn(parts, 0));
/** Within 1.8 ulp for every float32; NaN at the infinities. */
export const cos = define('cos_of', (parts) => turn(parts, 1));
