// Weights beyond a window are 0, and the others stay as they are.

import { defineReweight, option } from '@heed/attention';
import { abs, add, le, select, sub } from '@heed/expr';

/** weight where |key - (query + offset)| <= window, else 0: the reading of local-m whose softmax runs over all keys. */
export const cut = defineReweight({
  name: 'cut',
  options: { window: option.integer({ min: 0 }) },
  uniforms: { offset: { element: 'int', value: 0 } },
  factor: ({ query, key, uniforms: { offset } }, { window }) =>
    select(le(abs(sub(key, add(query, offset))), window), 1, 0),
});
