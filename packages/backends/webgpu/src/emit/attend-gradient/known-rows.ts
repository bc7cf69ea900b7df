// What is known of rows before anybody looks at their pairs.

import type { PairKernel } from '../attend/kernel.ts';
import { indexIn, type Output } from '../attend/output.ts';
import type { Lanes } from '../lanes.ts';
import { isNegativeInfinity } from '../math/special.ts';
import type { ShaderWriter } from '../shader.ts';
import { load } from '../storage.ts';

/** What the call gives besides the inputs. */
export interface Given {
  readonly level: Output | null;
  readonly weights: Output | null;
  readonly levelGradient: Output | null;
}

/** For each row of an invocation. */
export interface KnownRows {
  /** What scores and levels are counted from where they are weighed; null where that is nothing. */
  readonly origin: Lanes | null;
  /** Null where there is none. */
  readonly level: Lanes | null;
  readonly rho: Lanes;
  /** Whether the row is one that there is, and not empty: bools. */
  readonly alive: Lanes;
}

/** Four floats a row: origin, which is -infinity where the row is empty, level, rho, and one that nobody reads. */
export const ROWS = 'rows';
export const ROW_BYTES = 16;

export const rowsBinding = (shader: ShaderWriter, access: 'read' | 'write'): string =>
  shader.binding(`scratch:${ROWS}`, access, 'vec4<f32>');

/** Where a row's numbers lie: batch, head, query. */
export const rowIndex = (shader: ShaderWriter, [batch, head, query]: readonly string[]): string =>
  `(${batch} * ${shader.length('heads')} + ${head}) * ${shader.length('queryLength')} + ${query}`;

/** Whether a row is not empty, by its level or its origin. */
const isFull = (value: string): string => `!${isNegativeInfinity(value)}`;

const placesOf = ({ tile, rows: { readHead, readQuery } }: PairKernel): string[][] =>
  readQuery.map((query) => [tile.batch, readHead[0] as string, query]);

/** As the first dispatch left them. */
export function storedRows(kernel: PairKernel): KnownRows {
  const { shader, code } = kernel;
  const found = placesOf(kernel).map((place) =>
    code.let('row', `${rowsBinding(shader, 'read')}[${rowIndex(shader, place)}]`),
  );
  const origin = found.map((row) => `${row}.x`);
  return {
    origin,
    level: found.map((row) => `${row}.y`),
    rho: found.map((row) => `${row}.z`),
    alive: origin.map((one, g) => code.let('alive', `${kernel.isRow(g)} && ${isFull(one)}`)),
  };
}

/** As the call gives them: where no sum over the row matters. */
export function givenRows(kernel: PairKernel, { level: output }: Given): KnownRows {
  const { shader, code } = kernel;
  const level =
    output &&
    placesOf(kernel).map((place) =>
      code.let(
        'level',
        load(shader, output.operand.tensor, output.dtype, indexIn(shader, output.operand, place)),
      ),
    );
  return {
    origin: null,
    level,
    rho: kernel.flat.map(() => '0.0'),
    alive: kernel.flat.map((_, g) =>
      code.let('alive', level ? `${kernel.isRow(g)} && ${isFull(level[g] as string)}` : kernel.isRow(g)),
    ),
  };
}
