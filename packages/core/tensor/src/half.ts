// Floats of 16 bits, to and from numbers. The only file that knows their bits.

const words = new DataView(new ArrayBuffer(8));

const float32OfBits = (bits: number): number => {
  words.setUint32(0, bits);
  return words.getFloat32(0);
};

/** The number that an IEEE 754 binary16 pattern stands for. */
export function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The nearest binary16, ties to even; beyond 65504 by half a step or more, infinity. */
export function toFloat16(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= 65520) return sign | 0x7c00;
  // In units of the last place; below the normal range that unit no longer shrinks.
  const exponent = size < 2 ** -14 ? -14 : exponentOf(size);
  const units = roundHalfEven(size / 2 ** (exponent - 10));
  // A round up to 2048 units carries into the exponent by itself.
  return sign | (size < 2 ** -14 ? units : ((exponent + 14) << 10) + units);
}

/** The number that a bfloat16 pattern stands for. */
export const fromBfloat16 = (bits: number): number => float32OfBits((bits & 0xffff) * 0x10000);

/** The nearest bfloat16, ties to even. */
export function toBfloat16(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0;
  const size = Math.abs(value);
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  if (size === Number.POSITIVE_INFINITY) return sign | 0x7f80;
  // From the double itself: going through float32 would round twice.
  const exponent = size < 2 ** -126 ? -126 : exponentOf(size);
  const units = roundHalfEven(size / 2 ** (exponent - 7));
  const bits = size < 2 ** -126 ? units : ((exponent + 126) << 7) + units;
  return sign | Math.min(bits, 0x7f80);
}

/** floor(log2(size)), exactly, for normal doubles. */
function exponentOf(size: number): number {
  words.setFloat64(0, size);
  return ((words.getUint16(0) >> 4) & 0x7ff) - 1023;
}

function roundHalfEven(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  if (rest !== 0.5) return rest > 0.5 ? down + 1 : down;
  return down % 2 === 0 ? down : down + 1;
}
