// Looking up rows: entries of tables, elements of vectors, at indices that are rows themselves.

import { add, and, type Expr, ge, type Index, lt, maximum, minimum, mul, sub } from '@heed/expr';
import {
  arange,
  elementwise,
  logicalAnd,
  type Surroundings,
  type Tensor,
  take,
  where,
  zeros,
} from '@heed/tensor';
import { align, type Row, unite } from './row.ts';

/** Entries of a table (or elements of a vector) at index rows; zero where an index lies outside. */
export function read(of: Row, indices: readonly Row[], lookups: number): Row {
  const { tensor: table, axes: shared } = of;
  if (shared.length > 0) {
    // Each position along its own axes has a table of its own: these axes become indices like the others.
    const own = shared.map(
      (axis): Row => ({
        tensor: arange(table.device, table.shape[shared.indexOf(axis)] as number, { dtype: 'int32' }),
        axes: [axis],
      }),
    );
    return read({ tensor: table, axes: [] }, [...own, ...indices], lookups + shared.length);
  }
  const axes = unite(indices);
  const lengths = table.shape.slice(0, lookups);
  const dims = table.shape.slice(lookups);
  let flat: Tensor<'int32'> | null = null;
  let inside: Tensor<'bool'> | null = null;
  for (const [i, index] of indices.entries()) {
    const at = align(index, axes, 0) as Tensor<'int32'>;
    const integers = { bound: lengths[i] as number };
    const fits = elementwise('inside', isInside, [at], { integers }) as Tensor<'bool'>;
    const safe = elementwise('at', clampInside, [at], { integers }) as Tensor<'int32'>;
    inside = inside ? logicalAnd(inside, fits) : fits;
    const before: Tensor<'int32'> | null = flat;
    flat = before
      ? (elementwise('at', rowMajorIndex, [before, safe] as const, { integers }) as Tensor<'int32'>)
      : safe;
  }
  const fits = inside as unknown as Tensor<'bool'>;
  const entries = take(table.reshape([-1, ...dims]), flat as unknown as Tensor<'int32'>, { axis: 0 });
  const mask = fits.reshape([...fits.shape, ...dims.map(() => 1)]);
  return { tensor: where(mask, entries, zeros(table.device, [], { dtype: table.dtype })), axes };
}

type Bounded = Surroundings<never, 'bound'>;
const isInside = (at: Expr<Index>, { integers: { bound } }: Bounded) => and(ge(at, 0), lt(at, bound));
const clampInside = (at: Expr<Index>, { integers: { bound } }: Bounded) =>
  minimum(maximum(at, 0), sub(bound, 1));
const rowMajorIndex = (before: Expr<Index>, at: Expr<Index>, { integers: { bound } }: Bounded) =>
  add(mul(before, bound), at);
