// Where results of an attention go: row by row, guarded against rows that do not exist.

import type { DType } from '@heed/tensor';
import type { Code, ShaderWriter } from '../shader.ts';
import { store, store4 } from '../storage.ts';
import { type Operand, offsetOf, sumOf, term } from './operand.ts';
import { columnAt } from './value.ts';

/** A result as an operand that is written. */
export interface Output {
  readonly operand: Operand;
  readonly dtype: DType;
}

/** The index of a result's element: coordinates along its axes. */
export const indexIn = (shader: ShaderWriter, operand: Operand, at: readonly string[]): string =>
  sumOf([offsetOf(shader, operand), ...at.map((one, axis) => term(shader, operand, axis, one))]);

/** Stores four columns of a row, those that there are; `column` is a multiple of 4 below the width. */
export function storeFour(
  shader: ShaderWriter,
  code: Code,
  { operand, dtype }: Output,
  columns: { readonly dims: readonly number[]; readonly width: number; readonly aligned: boolean },
  row: readonly string[],
  column: string,
  four: string,
): void {
  const start = code.let('row', indexIn(shader, operand, row));
  if (columns.aligned) {
    store4(shader, code, operand.tensor, dtype, `${start} + ${column}`, four);
    return;
  }
  for (let i = 0; i < 4; i++) {
    const put = (): void => {
      const at = columnAt(code, columns.dims, i === 0 ? column : `${column} + ${i}`);
      const terms = at.map((place, n) => term(shader, operand, row.length + n, `(${place})`));
      store(shader, code, operand.tensor, dtype, sumOf([start, ...terms]), `${four}.${'xyzw'[i]}`);
    };
    if (columns.width % 4 === 0 || i === 0) code.block(put);
    else code.if(`${column} + ${i} < ${columns.width}`, put);
  }
}
