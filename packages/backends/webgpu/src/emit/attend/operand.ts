// What formulas read from memory: the inputs of the call, and rows that an earlier dispatch computed.

import { sizeOf, type Type } from '@heed/expr';
import { type AttendInput, type AttendProgram, type Axis, type DType, dtypes } from '@heed/tensor';
import type { Layout } from '../plan.ts';
import type { ShaderWriter } from '../shader.ts';
import { load, load4 } from '../storage.ts';

/** A tensor of shape [...along, ...lookups, ...dims], and how a shader finds its elements. */
export interface Operand {
  readonly name: string;
  /** What is bound: the input itself, or scratch memory that several operands share. */
  readonly tensor: string;
  readonly type: Type;
  readonly dtype: DType;
  readonly along: readonly Axis[];
  readonly layout: Layout;
  /** Strides and offset are the planner's numbers, not those of a tensor of the call. */
  readonly computed: boolean;
  /** Whether it is bound in fours: its last dim is whole fours that lie side by side from multiples of four on. */
  readonly fours?: boolean;
  /** Whether it was copied (see pack.ts): each element takes a word of 32 bits, whatever its dtype. */
  readonly packed?: boolean;
}

export const operandOf = (name: string, { type, dtype, along }: AttendInput, layout: Layout): Operand => ({
  name,
  tensor: name,
  type,
  dtype,
  along,
  layout,
  computed: false,
});

/** Whether the last dim is whole fours, each side by side, and all begin at multiples of four. */
export const isInFours = ({ layout: { shape, strides, offset }, type }: Operand): boolean =>
  type.dims.length > 0 &&
  (shape.at(-1) as number) > 0 &&
  (shape.at(-1) as number) % 4 === 0 &&
  offset % 4 === 0 &&
  strides.every((stride, axis) => (axis === strides.length - 1 ? stride === 1 : stride % 4 === 0));

/** The same operands, bound in fours where they lie so. */
export const inFours = (operands: Readonly<Record<string, Operand>>): Record<string, Operand> =>
  Object.fromEntries(
    Object.entries(operands).map(([name, one]) => [name, { ...one, fours: isInFours(one) }]),
  );

/** The number at an index. */
export function read(
  shader: ShaderWriter,
  { tensor, dtype, fours = false, packed = false }: Operand,
  index: string,
): string {
  if (!packed) return load(shader, tensor, dtype, index, { aligned: fours });
  const word = `${shader.binding(tensor, 'read', 'u32')}[${index}]`;
  const { element } = dtypes[dtype];
  if (element === 'bool') return `(${word} != 0u)`;
  return `bitcast<${element === 'int' ? 'i32' : 'f32'}>(${word})`;
}

/** The four numbers from an index on, a multiple of four; only of an operand that is bound in fours. */
export const readFour = (shader: ShaderWriter, { tensor, dtype }: Operand, index: string): string =>
  load4(shader, tensor, dtype, index, { aligned: true });

/** The inputs of a program as operands, by name. */
export const operandsOf = (
  { inputs }: Pick<AttendProgram, 'inputs'>,
  layouts: Readonly<Record<string, Layout>>,
): Record<string, Operand> =>
  Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => [name, operandOf(name, input, layouts[name] as Layout)]),
  );

export const variesAlong = ({ along }: Operand, axis: Axis): boolean => along.includes(axis);

/** The sizes of what stands at one place. */
export const dimsOf = ({ type }: Operand, sizes: AttendProgram['sizes']): number[] =>
  type.dims.map((dim) => sizeOf(dim, sizes) as number);

/** The stride along an axis of the tensor's shape, as far as shaders are specialised on it. */
export const strideClass = ({ layout }: Operand, axis: number): 0 | 1 | 'any' => {
  const stride = layout.strides[axis] as number;
  return stride === 0 || stride === 1 ? stride : 'any';
};

/** What distinguishes shaders that read this operand: which strides are 0 or 1, and whether a table has entries. */
export const operandClass = (operand: Operand): string => {
  const { name, layout, along, type } = operand;
  const strides = layout.shape.map((_, axis) => {
    const known = strideClass(operand, axis);
    return known === 'any' ? 'n' : known;
  });
  const lookups = layout.shape.slice(along.length, along.length + type.lookups);
  return `${name}:${strides.join('')}${lookups.includes(0) ? 'e' : ''}${operand.fours ? 'f' : ''}${operand.packed ? 'p' : ''}`;
};

/** `coordinate` times the stride along an axis of the tensor's shape; null where that is zero. */
export function term(
  shader: ShaderWriter,
  operand: Operand,
  axis: number,
  coordinate: string,
): string | null {
  const known = strideClass(operand, axis);
  if (known === 0 || coordinate === '0') return null;
  if (known === 1) return coordinate;
  const stride = operand.computed
    ? shader.number(`${operand.name}/${axis}`)
    : shader.stride(operand.tensor, axis);
  return `${coordinate} * ${stride}`;
}

export const offsetOf = (shader: ShaderWriter, { computed, name, tensor }: Operand): string =>
  computed ? shader.number(`${name}/offset`) : shader.offset(tensor);

/** The numbers that `term` and `offsetOf` read for operands of scratch memory. */
export function numbersOf(operands: readonly Operand[]): Record<string, number> {
  const numbers: Record<string, number> = {};
  for (const { computed, name, layout } of operands) {
    if (!computed) continue;
    numbers[`${name}/offset`] = layout.offset;
    layout.strides.forEach((stride, axis) => {
      numbers[`${name}/${axis}`] = stride;
    });
  }
  return numbers;
}

/** A sum of terms, those that are zero left out. */
export const sumOf = (terms: readonly (string | null)[]): string =>
  terms.filter((one) => one !== null).join(' + ') || '0';

/** Where the n-th element of a tensor of the call lies, counted row-major over what is not repeated. */
export function elementAt(shader: ShaderWriter, { tensor, layout }: Operand, nth: string): string {
  const { code } = shader;
  const terms: string[] = [];
  let rest = nth;
  layout.strides.forEach((_, i) => {
    const axis = layout.strides.length - 1 - i;
    if (layout.strides[axis] === 0) return;
    const size = shader.size(tensor, axis);
    terms.unshift(`(${rest} % ${size}) * ${shader.stride(tensor, axis)}`);
    rest = code.let('rest', `${rest} / ${size}`);
  });
  return sumOf([shader.offset(tensor), ...terms]);
}

/** Scratch memory of records of `width` floats along axes of the given sizes, as an operand. */
export function scratch(
  name: string,
  along: readonly Axis[],
  sizes: readonly number[],
  width: number,
): Operand {
  const strides = sizes.map((_, axis) => width * sizes.slice(axis + 1).reduce((all, size) => all * size, 1));
  return {
    name: `scratch:${name}`,
    tensor: `scratch:${name}`,
    type: { element: 'float', dims: [], lookups: 0 },
    dtype: 'float32',
    along,
    layout: { shape: sizes, strides, offset: 0 },
    computed: true,
  };
}
