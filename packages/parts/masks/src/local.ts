// Keys near a centre that each query brings along.

import { defineMask, option } from '@heed/attention';
import { abs, le, scalar, sub } from '@heed/expr';

/**
 * |key - centers[query]| <= window. The window of Luong, Pham, Manning 2015 (arXiv 1508.04025), section 3.2: for
 * local-m the centre is the query's own position (then `window` says the same without a tensor), for local-p it is
 * predicted, keyLength * sigmoid(v . tanh(W q)), and is not rounded.
 *
 * Side input: `centers` [batch, head, query], floats, shared with the reweight `localGaussian`, through which alone its
 * gradient flows.
 *
 * @example local({ window: 10 })
 */
export const local = defineMask({
  name: 'local',
  options: {
    /** How far a key may lie from the centre: the paper's D. */
    window: option.number({ min: 0 }),
  },
  inputs: { centers: { type: scalar, along: ['batch', 'head', 'query'] } },
  allowed: ({ key, inputs: { centers } }, { window }) => le(abs(sub(key, centers)), window),
});
