// Elements of every dtype in storage bindings.
//
// float32 and int32 lie in arrays of their own. Shorter ones share words of 32 bits: read as `array<u32>`, and, since two
// invocations may own parts of one word, written as `array<atomic<u32>>`, by taking the element's bits out and putting the
// new ones in. Every element has one writer, so that the order does not matter.

import { type DType, dtypes } from '@heed/tensor';
import { toBfloat16, toFloat16, toInt8 } from './math/half.ts';
import type { Code, ShaderWriter } from './shader.ts';

/** How a tensor is bound. One shader must say the same wherever it touches the tensor. */
export interface Access {
  /** The same shader also stores to the tensor. */
  readonly written?: boolean;
  /** It is bound in fours: whoever takes four elements takes them from an index that is a multiple of four. */
  readonly aligned?: boolean;
}

type Stored = Exclude<DType, 'float64'>;
type Packed = Exclude<Stored, 'float32' | 'int32'>;

function stored(tensor: string, dtype: DType): Stored {
  if (dtype === 'float64') {
    throw new Error(`"${tensor}" is float64, which WGSL does not have. Expected one of the other dtypes.`);
  }
  return dtype;
}

const isPacked = (dtype: Stored): dtype is Packed => dtypes[dtype].bytes < 4;
/** 1 element of 32 bits a word, 2 of 16 or 4 of 8, as a power of two. */
const perWord = (dtype: Packed): 1 | 2 => (dtypes[dtype].bytes === 2 ? 1 : 2);
const shiftOf = (dtype: Packed, index: string): string =>
  dtypes[dtype].bytes === 2 ? `(u32(${index} & 1) << 4u)` : `(u32(${index} & 3) << 3u)`;

/** An element in the lower bits, whatever stands above, as a number. */
const widen: { readonly [D in Packed]: (bits: string) => string } = {
  float16: (bits) => `unpack2x16float(${bits}).x`,
  bfloat16: (bits) => `bitcast<f32>(${bits} << 16u)`,
  int8: (bits) => `f32(bitcast<i32>(${bits} << 24u) >> 24u)`,
  bool: (bits) => `((${bits} & 0xffu) != 0u)`,
};

/** Four elements, of one or two words, as numbers. */
const widen4: { readonly [D in Packed]: (word: (at: 0 | 1) => string) => string } = {
  float16: (word) => `vec4<f32>(unpack2x16float(${word(0)}), unpack2x16float(${word(1)}))`,
  bfloat16: (word) =>
    `bitcast<vec4<f32>>((vec2<u32>(${word(0)}, ${word(1)}).xxyy << vec4<u32>(16u, 0u, 16u, 0u)) & vec4<u32>(0xffff0000u))`,
  int8: (word) =>
    `vec4<f32>(bitcast<vec4<i32>>(vec4<u32>(${word(0)}) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u))`,
  bool: (word) =>
    `((vec4<u32>(${word(0)}) & vec4<u32>(0xffu, 0xff00u, 0xff0000u, 0xff000000u)) != vec4<u32>(0u))`,
};

/** The bits of a number, and zeros above. */
const narrow: { readonly [D in Packed]: (shader: ShaderWriter, value: string) => string } = {
  float16: (shader, value) => `${shader.use(toFloat16(1))}(${value})`,
  bfloat16: (shader, value) => `${shader.use(toBfloat16(1))}(${value})`,
  int8: (shader, value) => `${shader.use(toInt8(1))}(${value})`,
  bool: (_, value) => `select(0u, 1u, ${value})`,
};

/** Whether the shader's 16-bit floats stand for those in memory. */
const isHalf = (shader: ShaderWriter, dtype: Stored, { aligned }: Access): boolean =>
  dtype === 'float16' && shader.machine.half && !aligned;

/** The variable through which the tensor is reached. */
function bound(shader: ShaderWriter, tensor: string, dtype: Stored, access: Access, writes: boolean): string {
  const { aligned } = access;
  const mode = writes ? 'write' : 'read';
  if (isHalf(shader, dtype, access)) {
    shader.enable('f16');
    return shader.binding(tensor, mode, 'f16');
  }
  if (isPacked(dtype)) return shader.binding(tensor, mode, writes && !aligned ? 'atomic<u32>' : 'u32');
  const element = dtype === 'float32' ? 'f32' : 'i32';
  return shader.binding(tensor, mode, aligned ? `vec4<${element}>` : element);
}

/** Reads a word of a tensor of short elements. */
const wordAt = (name: string, at: string, { written, aligned }: Access): string =>
  written && !aligned ? `atomicLoad(&${name}[${at}])` : `${name}[${at}]`;

/**
 * The element at an index (i32, an expression without effects), as f32, i32 or bool.
 *
 * @throws Error for float64.
 */
export function load(
  shader: ShaderWriter,
  tensor: string,
  dtype: DType,
  index: string,
  access: Access = {},
): string {
  const kind = stored(tensor, dtype);
  const name = bound(shader, tensor, kind, access, access.written === true);
  if (access.aligned && !isPacked(kind)) return `${name}[(${index}) >> 2u][(${index}) & 3]`;
  if (isHalf(shader, kind, access)) return `f32(${name}[${index}])`;
  if (!isPacked(kind)) return `${name}[${index}]`;
  const word = wordAt(name, `(${index}) >> ${perWord(kind)}u`, access);
  return widen[kind](`(${word} >> ${shiftOf(kind, `(${index})`)})`);
}

/** The element of a float16 tensor at an index (i32, an expression without effects), as f16 with the bits that it has. */
export function loadHalf(shader: ShaderWriter, tensor: string, index: string, access: Access = {}): string {
  shader.enable('f16');
  const name = bound(shader, tensor, 'float16', access, false);
  return access.aligned
    ? `bitcast<vec2<f16>>(${name}[(${index}) >> 1u])[(${index}) & 1]`
    : `${name}[${index}]`;
}

/** The four elements of a float16 tensor from an index on that is a multiple of four, as vec4<f16>; it is bound in fours. */
export function loadHalf4(shader: ShaderWriter, tensor: string, index: string): string {
  shader.enable('f16');
  const name = bound(shader, tensor, 'float16', { aligned: true }, false);
  const two = (at: 0 | 1): string => `bitcast<vec2<f16>>(${name}[((${index}) >> 1u)${at ? ' + 1' : ''}])`;
  return `vec4<f16>(${two(0)}, ${two(1)})`;
}

/**
 * The four elements from an index on, as a vec4 of f32, i32 or bool. All four must exist.
 *
 * @throws Error for float64.
 */
export function load4(
  shader: ShaderWriter,
  tensor: string,
  dtype: DType,
  index: string,
  access: Access = {},
): string {
  const kind = stored(tensor, dtype);
  if (!access.aligned) {
    const each = [0, 1, 2, 3].map((i) => load(shader, tensor, kind, i ? `(${index}) + ${i}` : index, access));
    const type = { float: 'f32', int: 'i32', bool: 'bool' }[dtypes[kind].element];
    return `vec4<${type}>(${each.join(', ')})`;
  }
  const name = bound(shader, tensor, kind, access, access.written === true);
  if (!isPacked(kind)) return `${name}[(${index}) >> 2u]`;
  return widen4[kind]((at) => wordAt(name, `((${index}) >> ${perWord(kind)}u)${at ? ' + 1' : ''}`, access));
}

/**
 * Stores a value (f32, i32 or bool) as the element at an index (i32, an expression without effects), rounded as the dtype
 * says: floats of 16 bits to the nearest, ties to even, overflow to infinity, NaN to NaN; int8 to the nearest of
 * -128 .. 127, ties to even, NaN to 0. A shader that also reads the tensor reads it as `written`.
 *
 * @throws Error for float64.
 */
export function store(
  shader: ShaderWriter,
  code: Code,
  tensor: string,
  dtype: DType,
  index: string,
  value: string,
): void {
  const kind = stored(tensor, dtype);
  const name = bound(shader, tensor, kind, {}, true);
  if (!isPacked(kind)) {
    code.set(`${name}[${index}]`, value);
    return;
  }
  const bits = narrow[kind](shader, value);
  if (isHalf(shader, kind, {})) {
    // A conversion by WGSL may round either way, and has no infinities to give.
    code.set(`${name}[${index}]`, `bitcast<vec2<f16>>(${bits}).x`);
    return;
  }
  const at = code.let('at', index);
  const shift = code.let('shift', shiftOf(kind, at));
  const word = `&${name}[${at} >> ${perWord(kind)}u]`;
  const mask = dtypes[kind].bytes === 2 ? '0xffffu' : '0xffu';
  const put = code.let('bits', bits);
  code.line(`atomicAnd(${word}, ~(${mask} << ${shift}));`);
  code.line(`atomicOr(${word}, ${put} << ${shift});`);
}

/**
 * Stores a vec4 as the four elements from an index on that is a multiple of four; all four must exist. The tensor is
 * bound as `aligned`: without atomics, for these words have one writer.
 *
 * @throws Error for float64.
 */
export function store4(
  shader: ShaderWriter,
  code: Code,
  tensor: string,
  dtype: DType,
  index: string,
  value: string,
): void {
  const kind = stored(tensor, dtype);
  const name = bound(shader, tensor, kind, { aligned: true }, true);
  if (!isPacked(kind)) {
    code.set(`${name}[(${index}) >> 2u]`, value);
    return;
  }
  const at = code.let('at', `(${index}) >> ${perWord(kind)}u`);
  const bits = code.let('bits', narrow4[kind](shader, value));
  if (perWord(kind) === 1) {
    code.set(`${name}[${at}]`, `${bits}.x | (${bits}.y << 16u)`);
    code.set(`${name}[${at} + 1]`, `${bits}.z | (${bits}.w << 16u)`);
  } else {
    code.set(`${name}[${at}]`, `${bits}.x | (${bits}.y << 8u) | (${bits}.z << 16u) | (${bits}.w << 24u)`);
  }
}

const narrow4: { readonly [D in Packed]: (shader: ShaderWriter, value: string) => string } = {
  float16: (shader, value) => `${shader.use(toFloat16(4))}(${value})`,
  bfloat16: (shader, value) => `${shader.use(toBfloat16(4))}(${value})`,
  int8: (shader, value) => `${shader.use(toInt8(4))}(${value})`,
  bool: (_, value) => `select(vec4<u32>(0u), vec4<u32>(1u), ${value})`,
};
