// For tests: arguments, and how far results lie from what they should be.

/** The distance between neighbours of float32 at a number. */
function ulp(at: number): number {
  const size = Math.min(Math.abs(at), 2 ** 127);
  if (size < 2 ** -126) return 2 ** -149;
  return 2 ** (Math.floor(Math.log2(size)) - 23);
}

/** How far a float32 lies from the number it should be, in ulp; infinite where one of them is not finite and they differ. */
export function distance(found: number, exact: number): number {
  if (Number.isNaN(exact) || Number.isNaN(found))
    return Number.isNaN(exact) && Number.isNaN(found) ? 0 : Infinity;
  const rounded = Math.fround(exact);
  if (found === rounded) return Math.abs(found) === Infinity ? 0 : Math.abs(found - exact) / ulp(exact);
  if (Math.abs(rounded) === Infinity && Math.abs(found) > 3.4e38) return 1;
  return Math.abs(found - exact) / ulp(exact);
}

/** Floats with every exponent and sign, dense in each, zeros, denormals, infinities and NaN: a multiple of 8 of them. */
export function everyExponent(perExponent: number): Float32Array<ArrayBuffer> {
  const bits: number[] = [0, 0x80000000, 1, 0x80000001, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f7fffff];
  let state = 12345;
  for (let exponent = 0; exponent < 255; exponent++) {
    for (let i = 0; i < perExponent; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      bits.push((state & 0x80000000) | (exponent << 23) | ((state >>> 3) & 0x7fffff));
    }
  }
  while (bits.length % 8 !== 0) bits.push(0x3f800000);
  return new Float32Array(Uint32Array.from(bits).buffer);
}

/** Evenly spread floats from low to high, a multiple of 8. */
export const spread = (low: number, high: number, count: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: Math.ceil(count / 8) * 8 }, (_, i) => low + ((high - low) * i) / (count - 1));
