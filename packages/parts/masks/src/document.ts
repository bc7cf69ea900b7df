// Sequences packed end to end, each to itself.

import { defineMask } from '@heed/attention';
import { eq, index } from '@heed/expr';

/**
 * queryDocuments[query] = keyDocuments[key]: each packed document attends to itself alone. Krell et al. 2021 (arXiv
 * 2107.02027). With `causal` it is the mask of packed pre-training: `allOf(document(), causal())`.
 *
 * Side inputs: `queryDocuments` [batch, query], `keyDocuments` [batch, key], ints; without batch for all batches.
 *
 * @example attend(query, key, value, { inputs: { queryDocuments: ids, keyDocuments: ids } })
 */
export const document = defineMask({
  name: 'document',
  inputs: {
    queryDocuments: { type: index, along: ['batch', 'query'] },
    keyDocuments: { type: index, along: ['batch', 'key'] },
  },
  allowed: ({ inputs: { queryDocuments, keyDocuments } }) => eq(queryDocuments, keyDocuments),
});
