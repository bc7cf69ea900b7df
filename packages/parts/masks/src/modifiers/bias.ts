// A number added for each pair.

import { defineModifier } from '@heed/attention';
import { add, scalar } from '@heed/expr';

/**
 * score + bias[batch, head, query, key]: any bias that a tensor can hold, such as the relative position bias of T5
 * (arXiv 1910.10683, section 2.1) or the edges of a graph (Graphormer, arXiv 2106.05234).
 *
 * Side input: `bias` [batch, head, query, key], floats, with a gradient; leading axes may be left out, any axis may be
 * 1. Where -infinity in it means that a pair takes no part, add the mask `biasAllows`.
 *
 * @example attend(query, key, value, { inputs: { bias } })
 */
export const bias = defineModifier({
  name: 'bias',
  inputs: { bias: { type: scalar, along: ['batch', 'head', 'query', 'key'] } },
  modify: ({ score, inputs: { bias } }) => add(score, bias),
});
