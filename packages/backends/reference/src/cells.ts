// Numbers of each dtype in a buffer, read as float64 and stored by rounding once.

import { type DType, fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from '@heed/tensor';

/** A buffer seen as numbers, counted in elements of its dtype. */
export interface Cells {
  read(at: number): number;
  write(at: number, value: number): void;
}

type Numbers = Float64Array | Float32Array | Int32Array | Int8Array | Uint16Array | Uint8Array;

const plain = (numbers: Numbers): Cells => stored(numbers, Number, Number);

const stored = (
  numbers: Numbers,
  from: (stored: number) => number,
  to: (value: number) => number,
): Cells => ({
  read: (at) => from(numbers[at] as number),
  write: (at, value) => {
    numbers[at] = to(value);
  },
});

/** The nearest int, ties to even. */
function nearest(value: number): number {
  const below = Math.floor(value);
  const excess = value - below;
  return excess > 0.5 || (excess === 0.5 && below % 2 !== 0) ? below + 1 : below;
}

export const cells: { readonly [D in DType]: (buffer: ArrayBuffer) => Cells } = {
  float64: (buffer) => plain(new Float64Array(buffer)),
  float32: (buffer) => plain(new Float32Array(buffer)),
  float16: (buffer) => stored(new Uint16Array(buffer), fromFloat16, toFloat16),
  bfloat16: (buffer) => stored(new Uint16Array(buffer), fromBfloat16, toBfloat16),
  // An Int32Array keeps the lower 32 bits: a sum of ints wraps, as ints do.
  int32: (buffer) => plain(new Int32Array(buffer)),
  // Saturating, because a quantised number that wraps has another sign; NaN, which has no place, becomes 0.
  int8: (buffer) =>
    stored(new Int8Array(buffer), Number, (value) => nearest(Math.min(Math.max(value, -128), 127))),
  bool: (buffer) =>
    stored(
      new Uint8Array(buffer),
      (byte) => (byte === 0 ? 0 : 1),
      (value) => (value === 0 ? 0 : 1),
    ),
};
