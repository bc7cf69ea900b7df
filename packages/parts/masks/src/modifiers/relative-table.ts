// A trained number for each distance.

import { defineModifier, option } from '@heed/attention';
import { add, at, maximum, minimum, sub, table } from '@heed/expr';
import { alignment, position } from '../alignment.ts';

/**
 * score + relative[head, clamp(query - key, -max, max) + max]: distances beyond `max` share one number. The clipped
 * relative positions of Shaw, Uszkoreit, Vaswani 2018 (arXiv 1803.02155), section 3.2, as a bias for each head, which is
 * also Swin Transformer's (arXiv 2103.14030, section 3.2) in one dimension.
 *
 * Parameter: `relative` [head, 2 max + 1], or [1, 2 max + 1] for all heads; make it with `zeros`. Alignment is as for
 * the mask `causal`.
 *
 * @example relativeTable({ max: 16 })
 */
export const relativeTable = defineModifier({
  name: 'relative-table',
  ...alignment,
  options: {
    ...alignment.options,
    /** The largest distance told apart. */
    max: option.integer({ min: 0 }),
  },
  params: { relative: { type: table(1), along: ['head'], initial: 0 } },
  modify: (place, options) => {
    const away = sub(position(place, options), place.key);
    const entry = add(minimum(maximum(away, -options.max), options.max), options.max);
    return add(place.score, at(place.params.relative, entry));
  },
});
