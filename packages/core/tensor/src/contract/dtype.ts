// How numbers are stored. What an expression computes with is the backend's business; this is what lies in memory.

import type { Element } from '@heed/expr';

/** The element of an expression that a stored number becomes, and its width in bytes. */
export const dtypes = {
  float64: { element: 'float', bytes: 8 },
  float32: { element: 'float', bytes: 4 },
  /** IEEE 754 binary16. */
  float16: { element: 'float', bytes: 2 },
  /** The upper half of a float32. */
  bfloat16: { element: 'float', bytes: 2 },
  int32: { element: 'int', bytes: 4 },
  /**
   * Storage for quantised rows: becomes a float when read; a scale is a side input. A float that is stored is rounded to
   * the nearest of -128 .. 127, ties to even; NaN becomes 0.
   */
  int8: { element: 'float', bytes: 1 },
  /** One byte, 0 or 1. */
  bool: { element: 'bool', bytes: 1 },
} as const satisfies Record<string, { element: Element; bytes: number }>;

export type DType = keyof typeof dtypes;

/** How levels and rows computed on the way are stored: 16 bits are for what people choose to store in them. */
export const workingDType = (dtype: DType): 'float64' | 'float32' =>
  dtype === 'float64' ? 'float64' : 'float32';

/** What `read()` gives: floats of 16 bits arrive widened to float32, bools as bytes. */
export interface ArrayOf {
  float64: Float64Array<ArrayBuffer>;
  float32: Float32Array<ArrayBuffer>;
  float16: Float32Array<ArrayBuffer>;
  bfloat16: Float32Array<ArrayBuffer>;
  int32: Int32Array<ArrayBuffer>;
  int8: Int8Array<ArrayBuffer>;
  bool: Uint8Array<ArrayBuffer>;
}
