// The rows that are averaged: four columns at a time.

import type { Code, ShaderWriter } from '../shader.ts';
import { type Operand, offsetOf, read, readFour, sumOf, term } from './operand.ts';

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

export interface Values {
  readonly operand: Operand;
  readonly dims: readonly number[];
  /** Columns in all. */
  readonly width: number;
  /** Whether they are read in fours. */
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
    if (aligned) return code.let('value', readFour(shader, operand, `${row} + ${column}`));
    const one = (i: number): string => {
      const at = columnAt(code, dims, i === 0 ? column : `${column} + ${i}`);
      const terms = at.map((place, n) => term(shader, operand, operand.along.length + n, `(${place})`));
      return read(shader, operand, sumOf([row, ...terms]));
    };
    if (width % 4 === 0) return code.let('value', `vec4<f32>(${[0, 1, 2, 3].map(one).join(', ')})`);
    const value = code.var('value', 'vec4<f32>()', 'vec4<f32>');
    for (let i = 0; i < 4; i++) {
      code.if(i === 0 ? `${column} < ${width}` : `${column} + ${i} < ${width}`, () =>
        code.set(`${value}.${'xyzw'[i]}`, one(i)),
      );
    }
    return value;
  }
}
