// ONNX models written down by hand: the few messages of onnx.proto3 that a graph of nodes needs, as protocol buffers.

export type Attribute = number | string | readonly number[] | { readonly integer: number };

export interface Node {
  readonly op: string;
  /** Names of values; '' leaves an optional one out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Numbers are floats, lists are integers. */
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** 'com.microsoft' for onnxruntime's own operators. */
  readonly domain?: string;
}

export interface Graph {
  readonly nodes: readonly Node[];
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  /** Tensors that are part of the model: floats, or integers for shapes, axes and lengths. */
  readonly constants?: Readonly<
    Record<
      string,
      { readonly shape: readonly number[]; readonly data: Float32Array | Int32Array | BigInt64Array }
    >
  >;
  readonly output: Output;
  /** Results besides. */
  readonly more?: readonly Output[];
}

export interface Output {
  readonly name: string;
  readonly shape: readonly number[];
}

/** The bytes of a model of opset 23, float32 throughout. */
export function model({ nodes, inputs, constants = {}, output, more = [] }: Graph): Uint8Array {
  const graph = [
    ...nodes.map((node) => field(1, nodeProto(node))),
    field(2, text('heed')),
    ...Object.entries(constants).map(([name, { shape, data }]) =>
      field(5, [
        ...shape.map((size) => integer(1, size)),
        integer(2, typeOf(data)),
        field(8, text(name)),
        field(9, [new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]),
      ]),
    ),
    ...Object.entries(inputs).map(([name, shape]) => field(11, valueInfo(name, shape))),
    ...[output, ...more].map(({ name, shape }) => field(12, valueInfo(name, shape))),
  ];
  const opset = (domain: string, version: number) => field(8, [field(1, text(domain)), integer(2, version)]);
  return join([integer(1, 10), field(7, graph), opset('', 23), opset('com.microsoft', 1)]);
}

const FLOAT = 1;
const INT32 = 6;
const INT64 = 7;

function typeOf(data: Float32Array | Int32Array | BigInt64Array): number {
  if (data instanceof Float32Array) return FLOAT;
  return data instanceof Int32Array ? INT32 : INT64;
}

function nodeProto({ op, inputs, outputs, attributes = {}, domain }: Node): Uint8Array[] {
  return [
    ...inputs.map((name) => field(1, text(name))),
    ...outputs.map((name) => field(2, text(name))),
    field(4, text(op)),
    ...Object.entries(attributes).map(([name, value]) =>
      field(5, [field(1, text(name)), ...attribute(value)]),
    ),
    ...(domain ? [field(7, text(domain))] : []),
  ];
}

function attribute(value: Attribute): Uint8Array[] {
  if (typeof value === 'number') {
    const bytes = new Uint8Array(5);
    bytes[0] = (2 << 3) | 5;
    new DataView(bytes.buffer).setFloat32(1, value, true);
    return [bytes, integer(20, 1)];
  }
  if (typeof value === 'string') return [field(4, text(value)), integer(20, 3)];
  if ('integer' in value) return [integer(3, value.integer), integer(20, 2)];
  return [...value.map((one) => integer(8, one)), integer(20, 7)];
}

const valueInfo = (name: string, shape: readonly number[]): Uint8Array[] => [
  field(1, text(name)),
  field(2, [
    field(1, [
      integer(1, FLOAT),
      field(
        2,
        shape.map((size) => field(1, [integer(1, size)])),
      ),
    ]),
  ]),
];

const text = (of: string): Uint8Array[] => [new TextEncoder().encode(of)];

function join(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Seven bits a byte, the lowest first; negative numbers as 64 bits. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let left = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(left & 0x7fn);
    left >>= 7n;
    bytes.push(left > 0n ? low | 0x80 : low);
  } while (left > 0n);
  return Uint8Array.from(bytes);
}

const integer = (number: number, value: number): Uint8Array => join([varint(number << 3), varint(value)]);

function field(number: number, content: readonly Uint8Array[]): Uint8Array {
  const bytes = join(content);
  return join([varint((number << 3) | 2), varint(bytes.length), bytes]);
}
