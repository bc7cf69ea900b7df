// Rows computed ahead: what a plan hoisted out of the loop over pairs, made ready to run.

import { type Hoisted, inputsOf, type Sizes } from '@heed/expr';
import type { FloatDType } from '@heed/tensor';
import { type Lowered, lower, type Sources, type Uniforms } from './lower.ts';
import type { Row } from './row.ts';

/** A row that is computed ahead. */
export interface Ahead {
  readonly name: string;
  readonly lower: Lowered;
  /** The names of the inputs that its formula reads. */
  readonly reads: readonly string[];
}

export const makeReady = (
  hoisted: readonly Hoisted[],
  sizes: Sizes,
  uniforms: Uniforms,
  dtype: FloatDType,
): Ahead[] =>
  hoisted.map(({ name, body }) => ({
    name,
    lower: lower(body, sizes, uniforms, dtype),
    reads: inputsOf([body]).map(({ data }) => data.name),
  }));

/** The rows given and, in their order, those computed from them. */
export function computeAhead(ahead: readonly Ahead[], sources: Sources): Readonly<Record<string, Row>> {
  const rows: Record<string, Row> = { ...sources.rows };
  for (const { name, lower: compute } of ahead) rows[name] = compute({ ...sources, rows });
  return rows;
}
