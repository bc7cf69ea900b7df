// Bytes to numbers, and the generator of the large problems.

import { dtypes, fromBfloat16, fromFloat16 } from '@heed/tensor';
import { mulberry32 } from '../random.ts';
import {
  type Case,
  ConformanceDataError,
  type Expected,
  type Generated,
  type Given,
  type Stored,
} from './case.ts';

/** The numbers of a tensor, row-major. 16-bit floats are widened, bools are 0 and 1. */
export type Numbers = Float64Array | Float32Array | Int32Array | Int8Array | Uint8Array;

/** The bytes of a file of the folder. */
export type Files = (name: string) => Uint8Array<ArrayBuffer>;

export interface DecodedInput {
  readonly kind: 'whole';
  readonly numbers: Numbers;
}

/** What a result is compared with: all of it, or some elements and the sums. */
export type Reference =
  | DecodedInput
  | {
      readonly kind: 'sampled';
      readonly indices: Numbers;
      readonly numbers: Numbers;
      readonly sum: number;
      readonly sumAbs: number;
    };

export const sizeOf = (shape: readonly number[]): number => shape.reduce((all, one) => all * one, 1);

/** @throws ConformanceDataError where the data is not what the index says. */
export function decodeInput(of: Case, name: string, files: Files): Numbers {
  const given = of.inputs[name] as Given;
  return 'prng' in given ? generate(given) : decode(given, `${of.id}: ${name}`, files);
}

/** @throws ConformanceDataError where the data is not what the index says. */
export function decodeExpected(of: Case, name: string, files: Files): Reference {
  const expected = of.expected[name] as Expected;
  const where = `${of.id}: ${name}`;
  if (!('sampled' in expected)) return { kind: 'whole', numbers: decode(expected, where, files) };
  const { sum, sumAbs, indices, values } = expected;
  return {
    kind: 'sampled',
    indices: decode(indices, where, files),
    numbers: decode(values, where, files),
    sum,
    sumAbs,
  };
}

function decode(stored: Stored, where: string, files: Files): Numbers {
  const { dtype, shape, file, byteOffset, byteLength } = stored;
  const known = Object.hasOwn(dtypes, dtype) ? dtypes[dtype] : undefined;
  if (!known) throw new ConformanceDataError(`${where}: the dtype "${dtype}" is not known.`);
  const count = sizeOf(shape);
  const bytes = files(file);
  if (byteLength !== count * known.bytes || byteOffset + byteLength > bytes.byteLength) {
    throw new ConformanceDataError(
      `${where}: [${shape}] of ${dtype} takes ${count * known.bytes} bytes; the index says ${byteLength} at ` +
        `${byteOffset} of ${file}, which has ${bytes.byteLength}.`,
    );
  }
  // A copy, because a view must begin at a multiple of its element's size.
  const own = bytes.slice(byteOffset, byteOffset + byteLength).buffer;
  switch (dtype) {
    case 'float64':
      return new Float64Array(own);
    case 'float32':
      return new Float32Array(own);
    case 'float16':
      return Float32Array.from(new Uint16Array(own), fromFloat16);
    case 'bfloat16':
      return Float32Array.from(new Uint16Array(own), fromBfloat16);
    case 'int32':
      return new Int32Array(own);
    case 'int8':
      return new Int8Array(own);
    case 'bool':
      return new Uint8Array(own);
  }
}

function generate({ shape, prng: { seed, lo, hi } }: Generated): Float32Array {
  const next = mulberry32(seed);
  return Float32Array.from({ length: sizeOf(shape) }, () => lo + (hi - lo) * (next() / 2 ** 32));
}
