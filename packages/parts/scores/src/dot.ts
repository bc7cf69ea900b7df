// The dot product of two rows.

import { defineScore } from '@heed/attention';
import { dot as product } from '@heed/expr';

/**
 * q . k, unscaled. Luong, Pham, Manning 2015 (arXiv 1508.04025), section 3.1, "dot".
 *
 * Query and key rows have one width: [batch, head, query, feature], [batch, keyHead, key, feature].
 *
 * @throws ShapeError where the widths differ: project one of them, or use `general`.
 * @example attention({ score: dot(), normalizer: softmax() })
 */
export const dot = defineScore({
  name: 'dot',
  score: ({ q, k }) => product(q, k),
});
