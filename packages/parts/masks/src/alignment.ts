// Alignment: which key a query stands at. Every part that compares the two positions must say, when their numbers
// differ; no default is right for both a cache and a cross attention.

import { type Lengths, option } from '@heed/attention';
import { add, type Expr, type Index, index, sub } from '@heed/expr';

/** The declarations of a part whose formula reads `position`. */
export const alignment = {
  options: {
    /**
     * Which ends line up where queries and keys differ in number: `'start'` (query 0 stands at key 0), `'end'` (the last
     * query stands at the last key, as with a cache), `'lengths'` (the last query stands at the last of `lengths` keys,
     * an int side input [batch]: a batch of caches of unlike fill). `'same'` accepts equal numbers only.
     */
    align: option.oneOf('same', 'start', 'end', 'lengths'),
  },
  inputs: { lengths: { type: index, along: ['batch'] } },
  uniforms: {
    /** The key at which query 0 stands: how many keys a cache held before. Instead of `align`. */
    offset: { element: 'int', optional: true },
  },
  validate: ({ align }: { readonly align: Align }, { offset }: { readonly offset: number | undefined }) =>
    offset !== undefined && align !== 'same'
      ? `align: '${align}' and offset: ${offset} both say which key a query stands at. Give one of them.`
      : undefined,
  refuse: (
    { queryLength, keyLength }: Lengths,
    { align }: { readonly align: Align },
    { offset }: { readonly offset: number | undefined },
  ) =>
    align === 'same' && offset === undefined && queryLength !== keyLength
      ? `there are ${queryLength} queries and ${keyLength} keys, so say which ends line up: align: 'end' puts the last ` +
        "query at the last key (as with a cache), align: 'start' puts query 0 at key 0, offset: n puts query 0 at key n."
      : undefined,
} as const;

type Align = 'same' | 'start' | 'end' | 'lengths';

interface Aligned {
  readonly query: Expr<Index>;
  readonly queryLength: Expr<Index>;
  readonly keyLength: Expr<Index>;
  readonly inputs: { readonly lengths: Expr<Index> };
  readonly uniforms: { readonly offset: Expr<Index> | undefined };
}

/** The key at which the query stands; it may lie outside the keys. */
export function position(at: Aligned, { align }: { readonly align: Align }): Expr<Index> {
  const { offset } = at.uniforms;
  if (offset !== undefined) return add(at.query, offset);
  if (align === 'end') return add(at.query, sub(at.keyLength, at.queryLength));
  if (align === 'lengths') return add(at.query, sub(at.inputs.lengths, at.queryLength));
  return at.query;
}
