// Values that come into and out of the evaluator, and the strided views by which it sees them.

import { ExpressionError } from './error.ts';
import { INT_HIGH, INT_LOW } from './meaning.ts';
import { describeType, type Sizes, sizeOf, type Type } from './type.ts';

/**
 * What an input holds: a number, a bool, the elements of a vector or of a matrix (row-major), or a table. A
 * `TableValue` without lookups is a vector or matrix seen through strides, so rows can be passed without copying.
 */
export type Value = number | boolean | ArrayLike<number> | TableValue;

/** Numbers laid out as `[...lookups, ...dims]`. */
export interface TableValue {
  /** How many entries each lookup has; `[]` for a plain value. */
  readonly sizes: readonly number[];
  readonly data: ArrayLike<number>;
  /** Where the first number lies; 0 if left out. */
  readonly offset?: number;
  /** Steps in `data`, one for each lookup and then each dim; row-major without gaps if left out. */
  readonly strides?: readonly number[];
}

/**
 * Where the numbers of one node lie. A vector is one row; a scalar has strides of zero, so that reading it anywhere
 * gives the one number it has.
 */
export class View {
  data: ArrayLike<number>;
  offset = 0;
  rowStride = 0;
  columnStride = 0;
  rows = 1;
  columns = 1;
  /** Sizes and strides of a table's lookups. */
  lookups: readonly number[] = [];
  lookupStrides: readonly number[] = [];
  /** A place of the view's own for a number given as such. */
  cell: Float64Array | undefined;

  constructor(data: ArrayLike<number>) {
    this.data = data;
  }
}

/** The sizes of a type's dims. @throws ExpressionError for a dim without a size. */
export function shapeOf(type: Type, sizes: Sizes, where: string): number[] {
  return type.dims.map((dim) => {
    const size = sizeOf(dim, sizes);
    if (size === undefined || !Number.isInteger(size) || size < 0) {
      const known = Object.keys(sizes).join(', ') || 'none';
      throw new ExpressionError(
        `evaluate: ${where}: expected a size for dim "${dim}", got ${size ?? `none (sizes given: ${known})`}.`,
      );
    }
    return size;
  });
}

/** A view shaped for a type, without data. */
export function viewFor(shape: readonly number[], data: ArrayLike<number>): View {
  const view = new View(data);
  const [first = 1, second] = shape;
  view.rows = second === undefined ? 1 : first;
  view.columns = second ?? first;
  view.rowStride = second ?? 0;
  view.columnStride = shape.length === 0 ? 0 : 1;
  return view;
}

/** Points the view of an input at what was given for it. @throws ExpressionError naming the input. */
export function attach(view: View, name: string, type: Type, shape: readonly number[], value: Value): void {
  const wrong = (got: string, hint = ''): never => {
    const count = shape.length === 0 ? '' : ` (${shape.join(' x ')} numbers)`;
    throw new ExpressionError(
      `evaluate: input "${name}": expected ${describeType(type)}${count}, got ${got}.${hint}`,
    );
  };
  if (type.lookups === 0 && shape.length === 0 && (typeof value === 'number' || typeof value === 'boolean')) {
    if ((typeof value === 'boolean') !== (type.element === 'bool')) wrong(`the ${typeof value} ${value}`);
    view.cell ??= new Float64Array(1);
    view.cell[0] = Number(value);
    view.data = view.cell;
    view.offset = 0;
    if (type.element !== 'float') eachInt(type, view.cell, 0, [], [], wrong);
    return;
  }
  const { sizes, data, offset = 0, strides } = asTable(type, shape, value, wrong);
  const extents = [...sizes, ...shape];
  const steps = strides ?? rowMajor(extents);
  if (steps.length !== extents.length) wrong(`${steps.length} strides for ${extents.length} axes`);
  const { low, high } = reach(extents, steps, offset);
  if (!(low >= 0 && high <= data.length))
    wrong(`${data.length} numbers and a layout that reads numbers ${low} to ${high - 1}`);
  if (type.element !== 'float') eachInt(type, data, offset, extents, steps, wrong);
  view.data = data;
  view.offset = offset;
  view.lookups = sizes;
  view.lookupStrides = steps.slice(0, type.lookups);
  view.rowStride = shape.length === 2 ? (steps[type.lookups] as number) : 0;
  view.columnStride = shape.length === 0 ? 0 : (steps[steps.length - 1] as number);
}

type Wrong = (got: string, hint?: string) => never;

function asTable(type: Type, shape: readonly number[], value: Value, wrong: Wrong): TableValue {
  if (typeof value !== 'object' || value === null)
    return wrong(value === undefined ? 'nothing' : `${typeof value} ${value}`);
  if ('data' in value) {
    if (!Array.isArray(value.sizes) || value.sizes.length !== type.lookups) {
      wrong(`a table of sizes [${value.sizes}]`, ` It takes ${type.lookups} lookups.`);
    }
    return value;
  }
  if (type.lookups > 0 || shape.length === 0 || typeof value.length !== 'number') {
    const form =
      type.lookups > 0
        ? 'A table is given as { sizes, data }'
        : 'Give a number, or { sizes: [], data, offset }';
    return wrong(typeof value.length === 'number' ? `an array of ${value.length}` : 'an object', ` ${form}.`);
  }
  const count = shape.reduce((all, one) => all * one, 1);
  return value.length === count ? { sizes: [], data: value } : wrong(`an array of ${value.length}`);
}

export function rowMajor(extents: readonly number[]): number[] {
  const strides = new Array<number>(extents.length);
  let step = 1;
  for (let axis = extents.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= extents[axis] as number;
  }
  return strides;
}

// The half-open range of places that a strided value reads.
function reach(
  extents: readonly number[],
  strides: readonly number[],
  offset: number,
): { low: number; high: number } {
  if (extents.some((extent) => extent === 0)) return { low: 0, high: 0 };
  let low = offset;
  let last = offset;
  for (const [axis, extent] of extents.entries()) {
    const step = (extent - 1) * (strides[axis] as number);
    if (step < 0) low += step;
    else last += step;
  }
  return { low, high: last + 1 };
}

// Ints and bools are checked when they are given: reading them later would round in silence.
function eachInt(
  type: Type,
  data: ArrayLike<number>,
  offset: number,
  extents: readonly number[],
  strides: readonly number[],
  wrong: Wrong,
): void {
  const [extent, ...inner] = extents;
  if (extent === undefined) {
    const one = data[offset] as number;
    const [low, high] = type.element === 'bool' ? [0, 1] : [INT_LOW, INT_HIGH];
    if (!Number.isInteger(one) || one < low || one > high) {
      wrong(String(one), type.element === 'bool' ? ' Bools are 0 or 1.' : ' Ints are whole and of 32 bits.');
    }
    return;
  }
  const [step = 0, ...steps] = strides;
  for (let i = 0; i < extent; i++) eachInt(type, data, offset + i * step, inner, steps, wrong);
}
