// Dropout on weights, from a counter: the same seed drops the same pairs on every backend.

import { add, div, ge, mul, random, select, sub } from '@heed/expr';
import { defineReweight } from './define/reweight.ts';

/**
 * Keeps each weight with probability 1 - rate, scaled by 1 / (1 - rate). Srivastava et al. 2014. The draw for a pair
 * depends on `dropoutSeed`, batch, head, query and key alone.
 */
export const dropout = defineReweight({
  name: 'dropout',
  uniforms: { dropoutRate: 0, dropoutSeed: { element: 'int', value: 0 } },
  factor: ({ batch, head, heads, query, key, uniforms: { dropoutRate, dropoutSeed } }) => {
    const draw = random(dropoutSeed, add(mul(batch, heads), head), query, key);
    return select(ge(draw, dropoutRate), div(1, sub(1, dropoutRate)), 0);
  },
});
