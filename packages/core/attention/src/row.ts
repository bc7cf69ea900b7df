// Rows: tensors that know along which axes of an attention they lie.

import type { Axis, Tensor } from '@heed/tensor';
import { inOrder } from './place.ts';

/** A value for each position along `axes`: a tensor [...axes, ...dims]. */
export interface Row {
  readonly tensor: Tensor;
  readonly axes: readonly Axis[];
}

/** The axes that any of the rows varies along, in order. */
export const unite = (rows: readonly Row[]): Axis[] => inOrder(rows.flatMap(({ axes }) => axes));

/** A row seen along more axes (of size one where it does not vary), with its dims padded in front to `rank`. */
export function align({ tensor: of, axes }: Row, onto: readonly Axis[], rank: number): Tensor {
  const dims = of.shape.slice(axes.length);
  const lead = onto.map((axis) => (axes.includes(axis) ? (of.shape[axes.indexOf(axis)] as number) : 1));
  return of.reshape([...lead, ...Array<number>(rank - dims.length).fill(1), ...dims]);
}
