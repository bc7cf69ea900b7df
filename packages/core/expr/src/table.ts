// Tables inside the evaluator: reading one, and the ones that derivatives make (`entry`, and sums of entries).
// A made table is as large as its furthest entry; reads outside are zero, so nothing is lost.

import { ExpressionError } from './error.ts';
import { rowMajor, View } from './value.ts';

/** A made table larger than this is refused: it would be one entry in a desert of zeros. */
const MOST_NUMBERS = 2 ** 24;

/** Where the entry at the indices begins; undefined outside the table. */
export function placeIn(table: View, indices: readonly number[], cells: Float64Array): number | undefined {
  let place = table.offset;
  for (let axis = 0; axis < indices.length; axis++) {
    const i = cells[indices[axis] as number] as number;
    if (i < 0 || i >= (table.lookups[axis] as number)) return undefined;
    place += i * (table.lookupStrides[axis] as number);
  }
  return place;
}

/** Makes `out` the table that is zero but for `of` at the indices; an entry at a negative index does not exist. */
export function entryTable(out: View, of: View, indices: readonly number[]): void {
  const exists = indices.every((i) => i >= 0);
  empty(
    out,
    indices.map((i) => (exists ? i + 1 : 0)),
  );
  if (exists) addInto(out, indices, of);
}

/** Makes `out` the sum of two tables. */
export function addTables(out: View, a: View, b: View): void {
  empty(
    out,
    a.lookups.map((size, axis) => Math.max(size, b.lookups[axis] as number)),
  );
  for (const table of [a, b]) {
    const entry = Object.assign(new View(table.data), table);
    for (const indices of allIndices(table.lookups)) {
      entry.offset =
        table.offset + indices.reduce((sum, i, axis) => sum + i * (table.lookupStrides[axis] as number), 0);
      addInto(out, indices, entry);
    }
  }
}

function empty(out: View, lookups: readonly number[]): void {
  const extents = [...lookups, out.rows, out.columns];
  const count = extents.reduce((all, one) => all * one, 1);
  if (count > MOST_NUMBERS) {
    throw new ExpressionError(
      `evaluate: entry: a table of ${lookups.join(' x ')} entries would hold ${count} numbers; ${MOST_NUMBERS} are the most.`,
    );
  }
  const strides = rowMajor(extents);
  out.data = new Float64Array(count);
  out.offset = 0;
  out.lookups = lookups;
  out.lookupStrides = strides.slice(0, lookups.length);
  out.rowStride = out.columns;
  out.columnStride = 1;
}

function addInto(out: View, indices: readonly number[], entry: View): void {
  const to = out.data as Float64Array;
  let k = indices.reduce((sum, i, axis) => sum + i * (out.lookupStrides[axis] as number), 0);
  for (let row = 0; row < out.rows; row++) {
    for (let column = 0; column < out.columns; column++, k++) {
      (to[k] as number) += entry.data[
        entry.offset + row * entry.rowStride + column * entry.columnStride
      ] as number;
    }
  }
}

function* allIndices(sizes: readonly number[]): Generator<readonly number[]> {
  const [size, ...rest] = sizes;
  if (size === undefined) return yield [];
  for (let i = 0; i < size; i++) for (const inner of allIndices(rest)) yield [i, ...inner];
}
