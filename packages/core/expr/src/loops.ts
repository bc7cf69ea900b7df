// The loops that the evaluator's steps are made of, over strided views, and the places they work in.

import type { Node, NodeOf } from './node.ts';
import type { View } from './value.ts';

export type Step = () => void;

/** Where the nodes of one evaluator keep their numbers. */
export interface Places {
  /** One number for each scalar node. */
  readonly cells: Float64Array;
  /** The place of a scalar node in `cells`. */
  cell(node: Node): number;
  /** The place of any node. */
  view(node: Node): View;
  /** Storage of the node's own, row-major, zero at first. */
  own(node: Node): Float64Array;
  /** The size behind a dim that the node's data names. */
  size(node: Node, dim: string): number;
  /** The step that fetches an input. */
  fetch(node: NodeOf<'input'>): Step | undefined;
}

export const arg = (node: { readonly args: readonly Node[] }, i: number): Node => node.args[i] as Node;
export const isScalar = (node: { readonly type: Node['type'] }): boolean =>
  node.type.dims.length === 0 && node.type.lookups === 0;

/** A step that applies `f` to every number of the first argument. */
export function mapOne(node: Node, at: Places, f: (a: number) => number): Step {
  const { cells } = at;
  if (isScalar(node)) {
    const [out, a] = [at.cell(node), at.cell(arg(node, 0))];
    return () => {
      cells[out] = f(cells[a] as number);
    };
  }
  const [out, a] = [at.own(node), at.view(arg(node, 0))];
  const { rows, columns } = at.view(node);
  return () => {
    const { data, columnStride } = a;
    for (let row = 0, to = 0; row < rows; row++) {
      let i = a.offset + row * a.rowStride;
      for (let column = 0; column < columns; column++, i += columnStride) out[to++] = f(data[i] as number);
    }
  };
}

/** A step that applies `f` to the numbers of the two arguments, pair by pair; a scalar is repeated. */
export function mapTwo(node: Node, at: Places, f: (a: number, b: number) => number): Step {
  const { cells } = at;
  if (isScalar(node)) {
    const [out, a, b] = [at.cell(node), at.cell(arg(node, 0)), at.cell(arg(node, 1))];
    return () => {
      cells[out] = f(cells[a] as number, cells[b] as number);
    };
  }
  const [out, a, b] = [at.own(node), at.view(arg(node, 0)), at.view(arg(node, 1))];
  const { rows, columns } = at.view(node);
  return () => {
    const [left, right] = [a.data, b.data];
    for (let row = 0, to = 0; row < rows; row++) {
      let i = a.offset + row * a.rowStride;
      let j = b.offset + row * b.rowStride;
      for (let column = 0; column < columns; column++) {
        out[to++] = f(left[i] as number, right[j] as number);
        i += a.columnStride;
        j += b.columnStride;
      }
    }
  };
}

/** A reduction of one vector: `f` from left to right, beginning with what an empty vector gives. */
export const reduce =
  (empty: number, f: (all: number, one: number) => number, finish = (all: number): number => all) =>
  (node: NodeOf<'sum' | 'max' | 'min' | 'norm'>, at: Places): Step => {
    const { cells } = at;
    const [out, v] = [at.cell(node as Node), at.view(arg(node, 0))];
    return () => {
      const { data, columns, columnStride } = v;
      let all = empty;
      for (let n = 0, i = v.offset; n < columns; n++, i += columnStride) all = f(all, data[i] as number);
      cells[out] = finish(all);
    };
  };

/** The sum of products of `count` numbers of two views. */
export function product(
  left: View,
  leftFrom: number,
  leftStride: number,
  right: View,
  rightFrom: number,
  rightStride: number,
  count: number,
): number {
  const [a, b] = [left.data, right.data];
  let total = 0;
  for (let n = 0, i = leftFrom, j = rightFrom; n < count; n++, i += leftStride, j += rightStride) {
    total += (a[i] as number) * (b[j] as number);
  }
  return total;
}

/** Copies a value into storage whose rows are `width` wide, from a place on. */
export function copy(from: View, to: Float64Array, start: number, width: number): void {
  for (let row = 0; row < from.rows; row++) {
    let i = from.offset + row * from.rowStride;
    const first = start + row * width;
    for (let column = 0; column < from.columns; column++, i += from.columnStride)
      to[first + column] = from.data[i] as number;
  }
}

/** Makes a view see what another sees. */
export const look = (view: View, at: View): void => {
  view.data = at.data;
  view.offset = at.offset;
  view.rowStride = at.rowStride;
  view.columnStride = at.columnStride;
};
