// Data into a device: numbers, nested arrays and typed arrays to bytes.

import type { DType } from './contract/dtype.ts';
import type { Device } from './device.ts';
import { build } from './dispatch.ts';
import { DTypeError, ShapeError } from './errors.ts';
import { toBfloat16, toFloat16 } from './half.ts';
import { checkShape, describeShape, type Shape, sizeOfShape } from './shape.ts';
import type { Tensor } from './tensor.ts';

export type TypedArray = Float64Array | Float32Array | Int32Array | Int8Array | Uint8Array;

/** A number or boolean, arrays of these in any depth, or a typed array. */
export type TensorData = number | boolean | TypedArray | readonly TensorData[];

/** What a tensor of this data is, if no dtype is given. */
export type DTypeOf<T> = T extends Float64Array
  ? 'float64'
  : T extends Int32Array
    ? 'int32'
    : T extends Int8Array
      ? 'int8'
      : T extends Float32Array
        ? 'float32'
        : T extends Uint8Array
          ? 'bool'
          : NumberOf<T>;

/** Whether numbers or booleans lie at the bottom; looked for as deep as tensors are in practice. */
type NumberOf<T> = Leaf<T> extends boolean ? 'bool' : Leaf<T> extends number ? 'float32' : DType;
type Inner<T> = T extends readonly (infer E)[] ? E : T;
type Leaf<T> = Inner<Inner<Inner<Inner<Inner<Inner<T>>>>>>;

export interface TensorOptions<D extends DType = DType> {
  readonly dtype?: D;
  /** Of a flat array or typed array; nested arrays say their own. */
  readonly shape?: Shape;
}

/**
 * A tensor of the given data: float32 for plain numbers, bool for booleans, as their names say for Float64Array,
 * Float32Array, Int32Array and Int8Array; a Uint8Array holds bools. Data is copied.
 *
 * @throws ShapeError for ragged arrays, with the path to the first that differs, and for a shape of another size;
 *   DTypeError for mixed elements and numbers that the dtype cannot hold.
 */
export function tensor<T extends TensorData, D extends DType = DTypeOf<T>>(
  device: Device,
  data: T,
  options: TensorOptions<D> = {},
): Tensor<D> {
  const { shape: found, flat, dtype: own } = flatten(data);
  const dtype = options.dtype ?? (own as D);
  const shape = options.shape ?? found;
  checkShape('tensor', shape);
  if (options.shape && found.length > 1 && describeShape(found) !== describeShape(shape)) {
    throw new ShapeError(
      `tensor: nested arrays of shape ${describeShape(found)} were given with the shape ${describeShape(shape)}. Leave one of them out.`,
    );
  }
  if (sizeOfShape(shape) !== flat.length) {
    throw new ShapeError(
      `tensor: expected ${sizeOfShape(shape)} elements for the shape ${describeShape(shape)}, got ${flat.length}.`,
    );
  }
  const bytes = (encoders[dtype] as (flat: ArrayLike<number>) => Uint8Array)(flat);
  return build(device, 'tensor', [...shape], dtype, ({ life }) => {
    if (bytes.length > 0) device.backend.write(life.storage.allocation, bytes);
  });
}

const bytesOf = (array: ArrayBufferView): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

const whole =
  (dtype: DType, low: number, high: number) =>
  (value: number, at: number): number => {
    if (Number.isInteger(value) && value >= low && value <= high) return value;
    throw new DTypeError(
      `tensor: ${dtype} holds whole numbers from ${low} to ${high}, got ${value} as element ${at}. Leave out the dtype for float32, or round first.`,
    );
  };
const truth = (value: number, at: number): number => {
  if (value === 0 || value === 1) return value;
  throw new DTypeError(`tensor: expected true, false, 0 or 1 for bool, got ${value} as element ${at}.`);
};

const encoders: { readonly [D in DType]: (flat: ArrayLike<number>) => Uint8Array } = {
  float64: (flat) => bytesOf(Float64Array.from(flat)),
  float32: (flat) => bytesOf(flat instanceof Float32Array ? flat : Float32Array.from(flat)),
  float16: (flat) => bytesOf(Uint16Array.from(flat, toFloat16)),
  bfloat16: (flat) => bytesOf(Uint16Array.from(flat, toBfloat16)),
  int32: (flat) =>
    bytesOf(
      flat instanceof Int32Array ? flat : Int32Array.from(flat, whole('int32', -(2 ** 31), 2 ** 31 - 1)),
    ),
  int8: (flat) => bytesOf(flat instanceof Int8Array ? flat : Int8Array.from(flat, whole('int8', -128, 127))),
  bool: (flat) => bytesOf(Uint8Array.from(flat, truth)),
};

interface Flat {
  readonly shape: Shape;
  readonly flat: ArrayLike<number>;
  readonly dtype: DType;
}

function flatten(data: TensorData): Flat {
  if (data instanceof Float64Array) return { shape: [data.length], flat: data, dtype: 'float64' };
  if (data instanceof Float32Array) return { shape: [data.length], flat: data, dtype: 'float32' };
  if (data instanceof Int32Array) return { shape: [data.length], flat: data, dtype: 'int32' };
  if (data instanceof Int8Array) return { shape: [data.length], flat: data, dtype: 'int8' };
  if (data instanceof Uint8Array) return { shape: [data.length], flat: data, dtype: 'bool' };
  const shape = shapeAlongFirst(data);
  const flat: number[] = [];
  const kinds = new Set<string>();
  collect(data, shape, [], flat, kinds);
  if (kinds.size > 1) throw new DTypeError('tensor: expected numbers or booleans, got both.');
  return { shape, flat, dtype: kinds.has('boolean') ? 'bool' : 'float32' };
}

function shapeAlongFirst(data: unknown): number[] {
  const shape: number[] = [];
  for (let level = data; isList(level); level = level[0]) shape.push(level.length);
  return shape;
}

const isList = (value: unknown): value is ArrayLike<unknown> =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));

function collect(
  data: unknown,
  shape: Shape,
  path: readonly number[],
  flat: number[],
  kinds: Set<string>,
): void {
  const where = `data${path.map((at) => `[${at}]`).join('')}`;
  const expected = shape[path.length];
  if (isList(data)) {
    if (data.length !== expected) {
      const wanted = expected === undefined ? 'a number' : `${elements(expected)}, as its neighbours have`;
      throw new ShapeError(`tensor: ragged: ${where} has ${elements(data.length)}, expected ${wanted}.`);
    }
    for (let i = 0; i < data.length; i++) collect(data[i], shape, [...path, i], flat, kinds);
    return;
  }
  if (typeof data !== 'number' && typeof data !== 'boolean') {
    throw new DTypeError(
      `tensor: expected numbers or booleans, got ${data === null ? 'null' : typeof data} at ${where}.`,
    );
  }
  if (expected !== undefined)
    throw new ShapeError(
      `tensor: ragged: ${where} is ${data}, expected ${elements(expected)}, as its neighbours have.`,
    );
  kinds.add(typeof data);
  flat.push(Number(data));
}

const elements = (count: number): string => (count === 1 ? '1 element' : `${count} elements`);
