// The sizes of dims, read off the values of inputs.

import type { NodeOf } from './node.ts';
import type { Sizes, Type } from './type.ts';
import type { Value } from './value.ts';

/** The sizes given, and those that the lengths of vectors, matrices and table entries leave no choice about. */
export function measure(
  inputs: readonly NodeOf<'input'>[],
  values: Readonly<Record<string, Value>>,
  sizes: Sizes,
): Sizes {
  const known = new Map(Object.entries(sizes));
  const counts = inputs.flatMap(({ type, data: { name } }) => {
    const count = Object.hasOwn(values, name) ? countOf(type, values[name] as Value) : undefined;
    return count === undefined || type.dims.length === 0 ? [] : [{ dims: type.dims, count }];
  });
  // What one input settles may settle another: a matrix gives its columns once its rows are known.
  for (let before = -1; before < known.size; ) {
    before = known.size;
    for (const { dims, count } of counts) settle(known, dims, count);
  }
  return Object.fromEntries(known);
}

function countOf(type: Type, value: Value): number | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('data' in value)) return type.lookups === 0 ? value.length : undefined;
  if (value.strides || type.lookups === 0) return undefined;
  const entries = value.sizes.reduce((all, one) => all * one, 1);
  return entries === 0 ? undefined : (value.data.length - (value.offset ?? 0)) / entries;
}

/** Solves `product of dims = count` where a single name is unknown. */
function settle(known: Map<string, number>, dims: readonly string[], count: number): void {
  let factor = 1;
  let open: { names: string[]; rest: number } | undefined;
  for (const dim of dims) {
    const parts = dim.split('+');
    const sizeOfPart = (part: string): number | undefined =>
      /^\d+$/.test(part) ? Number(part) : known.get(part);
    const names = parts.filter((part) => sizeOfPart(part) === undefined);
    const rest = parts.reduce((sum, part) => sum + (sizeOfPart(part) ?? 0), 0);
    if (names.length === 0) factor *= rest;
    else if (open) return;
    else open = { names, rest };
  }
  const [name, ...others] = open?.names ?? [];
  if (!open || name === undefined || others.some((other) => other !== name)) return;
  const size = (count / factor - open.rest) / open.names.length;
  if (Number.isInteger(size) && size >= 0) known.set(name, size);
}
