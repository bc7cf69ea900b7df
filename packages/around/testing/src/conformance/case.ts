// A case: what goes in, which options apply, and what must come out. Knows nothing of heed but its dtypes.

import type { DType } from '@heed/tensor';

/** The error allowed for each element: |actual - expected| <= atol + rtol |expected|. */
export interface Tolerance {
  readonly rtol: number;
  readonly atol: number;
}

/** Numbers in a file, little-endian and row-major. */
export interface Stored {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly file: string;
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** Numbers that are generated, for problems too large to store. */
export interface Generated {
  readonly dtype: 'float32';
  readonly shape: readonly number[];
  readonly prng: {
    readonly name: 'mulberry32';
    readonly seed: number;
    readonly lo: number;
    readonly hi: number;
  };
}

/** Some elements of a large result, and its sums. */
export interface Sampled {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly sampled: true;
  readonly indices: Stored;
  readonly values: Stored;
  readonly sum: number;
  readonly sumAbs: number;
}

export type Given = Stored | Generated;
export type Expected = (Stored | Sampled) & { readonly tolerance?: Tolerance };

export interface Case {
  readonly id: string;
  readonly family: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly tolerance: Tolerance;
  readonly inputs: Readonly<Record<string, Given>>;
  readonly expected: Readonly<Record<string, Expected>>;
  readonly source?: string;
  readonly note?: string;
}

/** Data that cannot be read as conformance data. */
export class ConformanceDataError extends Error {
  override readonly name = 'ConformanceDataError';
}

/** Reads the text of an index. @throws ConformanceDataError that says which entry is not a case, and why. */
export function parseIndex(text: string, where: string): readonly Case[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (problem) {
    throw new ConformanceDataError(`${where}: expected JSON, got an error: ${(problem as Error).message}`);
  }
  if (!Array.isArray(parsed)) throw new ConformanceDataError(`${where}: expected an array of cases.`);
  return parsed.map((one: unknown, at) => checkCase(one, `${where}: entry ${at}`));
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function checkCase(one: unknown, where: string): Case {
  if (!isRecord(one)) throw new ConformanceDataError(`${where}: expected an object.`);
  const { id, family, attributes = {}, inputs = {}, expected } = one;
  if (typeof id !== 'string') throw new ConformanceDataError(`${where}: expected an "id".`);
  const here = `${where} ("${id}")`;
  if (typeof family !== 'string') throw new ConformanceDataError(`${here}: expected a "family".`);
  if (!isRecord(attributes))
    throw new ConformanceDataError(`${here}: expected "attributes" to be an object.`);
  if (!isRecord(inputs)) throw new ConformanceDataError(`${here}: expected "inputs" to be an object.`);
  if (!isRecord(expected)) throw new ConformanceDataError(`${here}: expected "expected" to be an object.`);
  for (const [name, tensor] of Object.entries({ ...inputs, ...expected })) {
    const form = isRecord(tensor) && typeof tensor.dtype === 'string' && Array.isArray(tensor.shape);
    if (!form) throw new ConformanceDataError(`${here}: "${name}" needs a dtype and a shape.`);
    if (!('file' in tensor || 'prng' in tensor || 'sampled' in tensor)) {
      throw new ConformanceDataError(`${here}: "${name}" needs a "file", a "prng", or to be "sampled".`);
    }
  }
  const tolerance = isRecord(one.tolerance) ? (one.tolerance as unknown as Tolerance) : { rtol: 0, atol: 0 };
  return { ...(one as unknown as Case), attributes, tolerance };
}
