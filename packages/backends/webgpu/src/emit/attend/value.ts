// The rows that are averaged: four columns at a time.

import type { Code, ShaderWriter } from '../shader.ts';
import { type Operand, offsetOf, read, readFour, strideClass, sumOf, term } from './operand.ts';

/** Coordinates in a tensor's dims of a column, counted row-major over all of them. */
export function columnAt(code: Code, dims: readonly number[], column: string): string[] {
  if (dims.length === 0) return [];
  const at: string[] = [];
  let rest = column;
  for (let axis = dims.length - 1; axis > 0; axis--) {
    const size = dims[axis] as number;
    at.unshift(code.let('column', `(${rest}) % ${size}`));
    rest = code.let('rest', `(${rest}) / ${size}`);
  }
  return [rest, ...at];
}

/** Whether four columns from a multiple of four on lie side by side, and begin at a multiple of four. */
export const isAligned = ({ layout, along, type }: Operand, width: number): boolean =>
  type.dims.length === 1 &&
  width % 4 === 0 &&
  width > 0 &&
  layout.offset % 4 === 0 &&
  layout.strides.every((stride, axis) => (axis === along.length ? stride === 1 : stride % 4 === 0));

export interface Values {
  readonly operand: Operand;
  readonly dims: readonly number[];
  /** Columns in all. */
  readonly width: number;
  /** Whether they are only read in fours. */
  readonly aligned: boolean;
}

/** Reads four columns of a key's row. */
export class ValueReader {
  readonly #shader: ShaderWriter;
  readonly #code: Code;
  readonly #values: Values;
  readonly #base: string;

  constructor(shader: ShaderWriter, code: Code, values: Values, at: { batch: string; keyHead: string }) {
    this.#shader = shader;
    this.#code = code;
    this.#values = values;
    const { operand } = values;
    const along = (axis: 'batch' | 'keyHead'): string | null => {
      const place = operand.along.indexOf(axis);
      return place < 0 ? null : term(shader, operand, place, at[axis]);
    };
    this.#base = code.let('values', sumOf([offsetOf(shader, operand), along('batch'), along('keyHead')]));
  }

  /** A variable with the four columns from `column` on (a multiple of 4), zero past the last; the key must exist. */
  read(key: string, column: string): string {
    const code = this.#code;
    const { operand, dims, width, aligned } = this.#values;
    const shader = this.#shader;
    const along = operand.along.indexOf('key');
    const row = code.let('row', sumOf([this.#base, along < 0 ? null : term(shader, operand, along, key)]));
    if (aligned)
      return code.let(
        'value',
        load4(shader, operand.tensor, operand.dtype, `${row} + ${column}`, { aligned: true }),
      );
    const one = (i: number): string => {
      const at = columnAt(code, dims, i === 0 ? column : `${column} + ${i}`);
      const terms = at.map((place, n) => term(shader, operand, operand.along.length + n, `(${place})`));
      return load(shader, operand.tensor, operand.dtype, sumOf([row, ...terms]));
    };
    if (width % 4 === 0) return code.let('value', `vec4<f32>(${[0, 1, 2, 3].map(one).join(', ')})`);
    const value = code.var('value', 'vec4<f32>()', 'vec4<f32>');
    for (let i = 0; i < 4; i++) {
      const read = (): void => code.set(`${value}.${'xyzw'[i]}`, one(i));
      code.if(i === 0 ? `${column} < ${width}` : `${column} + ${i} < ${width}`, read);
    }
    return value;
  }
}

/** What distinguishes shaders that read values. */
export const valueClass = ({ operand, aligned }: Values): string =>
  `${aligned ? 'fours' : 'ones'}${strideClass(operand, operand.along.length)}`;
