// Queries that are really there.

import { defineMask } from '@heed/attention';
import { index, lt } from '@heed/expr';

/**
 * query < queryLengths[batch]: a query beyond its sequence's length sees nothing, so its context is zero. JAX's
 * `query_seq_lengths`.
 *
 * Side input: `queryLengths` [batch], ints; [1] for all batches.
 *
 * @example allOf(padding(), queryPadding())
 */
export const queryPadding = defineMask({
  name: 'query-padding',
  inputs: { queryLengths: { type: index, along: ['batch'] } },
  allowed: ({ query, inputs: { queryLengths } }) => lt(query, queryLengths),
});
