// No key after the query.

import { defineMask } from '@heed/attention';
import { le } from '@heed/expr';
import { alignment, position } from './alignment.ts';

/**
 * key <= query: no query sees what comes after it. Vaswani et al. 2017 (arXiv 1706.03762), section 3.2.3.
 *
 * Where queries and keys differ in number, say which ends line up: `align: 'end'` (PyTorch's `causal_lower_right`,
 * FlashAttention), `align: 'start'` (PyTorch's `is_causal`, Keras, JAX), `align: 'lengths'`, or `offset` (a uniform, so
 * that a cache moves it from call to call).
 *
 * @throws ShapeError at a call whose lengths differ where neither was given.
 * @example causal({ align: 'end' })
 */
export const causal = defineMask({
  name: 'causal',
  ...alignment,
  allowed: (at, options) => le(at.key, position(at, options)),
});
