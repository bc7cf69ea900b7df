// Places: the ints that say where in an attention a formula is being evaluated, and the lengths of its axes.

import { type Expr, type Index, index } from '@heed/expr';
import type { Axis } from '@heed/tensor';

/** The position of the pair at hand, and how long each axis is. `keyHead` is floor(head * keyHeads / heads). */
export interface Place {
  readonly batch: Expr<Index>;
  readonly head: Expr<Index>;
  readonly keyHead: Expr<Index>;
  readonly query: Expr<Index>;
  readonly key: Expr<Index>;
  readonly batches: Expr<Index>;
  readonly heads: Expr<Index>;
  readonly keyHeads: Expr<Index>;
  readonly queryLength: Expr<Index>;
  readonly keyLength: Expr<Index>;
}

/** Each place and the axis it varies along (none for lengths). */
export const places = {
  batch: ['batch'],
  head: ['head'],
  keyHead: ['keyHead'],
  query: ['query'],
  key: ['key'],
  batches: [],
  heads: [],
  keyHeads: [],
  queryLength: [],
  keyLength: [],
} as const satisfies Record<keyof Place, readonly Axis[]>;

/** The order in which axes lie in every tensor of an attention. */
export const axes = ['batch', 'head', 'keyHead', 'query', 'key'] as const satisfies readonly Axis[];

export const inOrder = (some: Iterable<string>): Axis[] => {
  const set = new Set(some);
  return axes.filter((axis) => set.has(axis));
};

/** Names that formulas use for rows, places and stages; a parameter or input cannot be called so. */
export const reserved: ReadonlySet<string> = new Set([
  ...Object.keys(places),
  'q',
  'k',
  'value',
  'score',
  'level',
  'weight',
  'maximum',
  'count',
  'context',
]);

export type DeclarePlace = (name: string, type: Index, along: readonly string[]) => Expr<Index>;

export function declarePlaces(declare: DeclarePlace): Place {
  // Getters, so that a formula's trace holds only the places it reads.
  const place = {};
  for (const [name, along] of Object.entries(places)) {
    Object.defineProperty(place, name, { enumerable: true, get: () => declare(name, index, along) });
  }
  return place as Place;
}
