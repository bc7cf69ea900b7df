// The safetensors format: a length, a header in JSON, and the bytes of tensors. https://github.com/huggingface/safetensors

import {
  type ArrayOf,
  type DType,
  dtypes,
  fromBfloat16,
  fromFloat16,
  toBfloat16,
  toFloat16,
  ValueError,
} from '@heed/tensor';
import type { Arrays, TensorRecord } from './data.ts';

const names = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int32: 'I32',
  int8: 'I8',
  bool: 'BOOL',
} as const satisfies Readonly<Record<DType, string>>;

const dtypeOf = new Map(Object.entries(names).map(([dtype, name]) => [name as string, dtype as DType]));

/** Every place where JavaScript runs has these, and no common library of types does. */
const { TextEncoder, TextDecoder } = globalThis as unknown as {
  readonly TextEncoder: new () => { encode(text: string): Uint8Array };
  readonly TextDecoder: new (
    encoding: string,
    options: { fatal: boolean },
  ) => { decode(bytes: Uint8Array): string };
};

/** The header of one tensor: offsets count from the end of the header. */
interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** Headers begin at multiples of this, by custom: a reader may look at tensors where they lie. */
const ALIGNMENT = 8;
/** The largest header that the format allows. */
const MOST = 100_000_000;

/**
 * The bytes of a safetensors file. Tensors lie in the order of their widths, widest first, then of their names, so that equal
 * parameters give equal bytes.
 *
 * @param metadata texts that go into the header.
 */
export function toSafetensors(
  arrays: Arrays,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const order = Object.entries(arrays).sort(
    ([a, x], [b, y]) => dtypes[y.dtype].bytes - dtypes[x.dtype].bytes || (a < b ? -1 : 1),
  );
  const header: Record<string, Entry | Readonly<Record<string, string>>> = metadata
    ? { __metadata__: metadata }
    : {};
  let end = 0;
  for (const [path, { dtype, shape, data }] of order) {
    if (path === '__metadata__')
      throw new ValueError('toSafetensors: "__metadata__" is no name for a tensor.');
    const start = end;
    end += data.length * dtypes[dtype].bytes;
    header[path] = { dtype: names[dtype], shape, data_offsets: [start, end] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil((8 + text.length) / ALIGNMENT) * ALIGNMENT - 8;
  const bytes = new Uint8Array(8 + padded + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.fill(0x20, 8, 8 + padded).set(text, 8);
  let at = 8 + padded;
  for (const [, one] of order) {
    const own = encode(one);
    bytes.set(own, at);
    at += own.length;
  }
  return bytes;
}

/**
 * Reads a safetensors file.
 *
 * @param keep which tensors to take, by name; all if left out.
 * @throws ValueError for bytes that are no such file, and for a tensor of a dtype that heed does not store (leave it out with
 *   `keep`).
 */
export function fromSafetensors(
  bytes: Uint8Array | ArrayBuffer,
  { keep = () => true }: { readonly keep?: (path: string) => boolean } = {},
): Arrays {
  const whole = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
  const { entries, start } = headerOf(whole);
  const arrays: Record<string, TensorRecord> = {};
  for (const [path, entry] of entries) {
    if (!keep(path)) continue;
    arrays[path] = decode(path, entry, whole, start);
  }
  return arrays;
}

/** The texts in the header of a safetensors file; none where there are none. */
export const safetensorsMetadata = (bytes: Uint8Array): Readonly<Record<string, string>> =>
  headerOf(bytes).metadata;

const broken = (why: string, cause?: unknown): ValueError =>
  new ValueError(`fromSafetensors: this is no safetensors file: ${why}.`, { cause });

function headerOf(bytes: Uint8Array) {
  if (bytes.length < 8)
    throw broken(`it has ${bytes.length} bytes, and the length of the header alone takes 8`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > MOST || 8 + length > bytes.length)
    throw broken(`its header should be ${length} bytes long, and ${bytes.length - 8} bytes follow`);
  const start = 8 + length;
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, start)));
  } catch (problem) {
    throw broken('its header is no JSON', problem);
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw broken('its header is no object');
  const { __metadata__: metadata = {}, ...tensors } = header as Record<string, unknown>;
  const entries = Object.entries(tensors).map(([path, entry]) => {
    if (!isEntry(entry)) throw broken(`the entry of "${path}" is not { dtype, shape, data_offsets }`);
    return [path, entry] as const;
  });
  return { entries, start, metadata: metadata as Readonly<Record<string, string>> };
}

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isEntry = (entry: unknown): entry is Entry => {
  if (typeof entry !== 'object' || entry === null) return false;
  const { dtype, shape, data_offsets: offsets } = entry as Partial<Entry>;
  return (
    typeof dtype === 'string' &&
    Array.isArray(shape) &&
    shape.every(isSize) &&
    Array.isArray(offsets) &&
    offsets.length === 2 &&
    offsets.every(isSize)
  );
};

function decode(
  path: string,
  { dtype: name, shape, data_offsets: [from, to] }: Entry,
  bytes: Uint8Array,
  start: number,
) {
  const dtype = dtypeOf.get(name);
  if (!dtype) {
    throw new ValueError(
      `fromSafetensors: "${path}" is stored as ${name}, which heed does not have (it has ${[...dtypeOf.keys()].join(', ')}). ` +
        'Leave it out: { keep: (path) => ... }.',
    );
  }
  const size = shape.reduce((all, one) => all * one, 1) * dtypes[dtype].bytes;
  if (to - from !== size || start + to > bytes.length) {
    throw broken(
      `"${path}", ${name} [${shape.join(', ')}], takes ${size} bytes, and its place is ${from} to ${to} of ${bytes.length - start}`,
    );
  }
  // A copy, because a typed array begins at a multiple of its element's size.
  const own = bytes.slice(start + from, start + to).buffer as ArrayBuffer;
  return { dtype, shape, data: decoders[dtype](own) } as TensorRecord;
}

const decoders: { readonly [D in DType]: (bytes: ArrayBuffer) => ArrayOf[D] } = {
  float64: (bytes) => new Float64Array(bytes),
  float32: (bytes) => new Float32Array(bytes),
  float16: (bytes) => Float32Array.from(new Uint16Array(bytes), fromFloat16),
  bfloat16: (bytes) => Float32Array.from(new Uint16Array(bytes), fromBfloat16),
  int32: (bytes) => new Int32Array(bytes),
  int8: (bytes) => new Int8Array(bytes),
  bool: (bytes) => new Uint8Array(bytes),
};

function encode({ dtype, data }: TensorRecord): Uint8Array {
  const narrow = dtype === 'float16' ? toFloat16 : dtype === 'bfloat16' ? toBfloat16 : null;
  const stored = narrow ? Uint16Array.from(data, narrow) : data;
  return new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
}
