// What a call of a program must bring: names, dtypes, formulas, shapes. And the words in which signatures are written.

import { bool, type Expr, index, scalar, type Type } from '@heed/expr';
import { type DType, dtypes } from '../dtype.ts';
import type { Uniforms } from '../program.ts';

export type Names = Readonly<Record<string, Type>>;
export type Stored = Readonly<Record<string, DType>>;
type Formula = {
  readonly what: string;
  readonly root: Expr;
  readonly names: readonly Names[];
  readonly gives: Type;
};

export type ShapeOf = (name: string, side?: 'input' | 'output') => readonly number[];

/** What a call of a program must bring. */
export interface Signature {
  readonly inputs: Stored;
  readonly outputs: Stored;
  readonly uniforms: Uniforms;
  readonly formulas: readonly Formula[];
  /** The lengths that a call must give; none if left out. */
  readonly sizes?: readonly string[];
  /** Wrong shapes, in words; undefined where they fit. Of an input and a result of one name, `of` gives the input's. */
  shapes(of: ShapeOf, sizes: Readonly<Record<string, number>>): string | undefined;
}

const ofElement = { float: scalar, int: index, bool } as const;
export const elements = (stored: Stored): Names =>
  Object.fromEntries(Object.entries(stored).map(([name, dtype]) => [name, ofElement[dtypes[dtype].element]]));
export const uniformTypes = (uniforms: Uniforms): Names =>
  Object.fromEntries(Object.entries(uniforms).map(([name, kind]) => [name, ofElement[kind]]));
export const places = (...names: readonly string[]): Names =>
  Object.fromEntries(names.map((name) => [name, index]));
export const storedAs = (dtype: DType): Type => ofElement[dtypes[dtype].element];

export const list = (shape: readonly number[]): string => `[${shape.join(', ')}]`;
const same = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i]);

/** The first of the tensors that does not have the shape it should. */
export function expectAll(
  of: (name: string) => readonly number[],
  expected: Readonly<Record<string, readonly number[]>>,
): string | undefined {
  for (const [name, shape] of Object.entries(expected))
    if (!same(of(name), shape)) return `"${name}" of shape ${list(shape)}, got ${list(of(name))}`;
  return undefined;
}
