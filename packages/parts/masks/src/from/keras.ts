// Windows as Keras counts them.

import type { Mask } from '@heed/attention';
import { window } from '../window.ts';
import { positive } from './number.ts';

/**
 * The mask of Keras' `sliding_window` (`MultiHeadAttention`, `GroupQueryAttention`): W counts the keys, the query's own
 * among them, where heed counts those on either side of it. Causal, W keys are `left: W - 1, right: 0`; both ways, Keras
 * takes |query - key| < W, which is `left: W - 1, right: W - 1`, 2 W - 1 keys. The same count as Mistral's and Hugging Face's
 * causal windows. Query 0 stands at key 0.
 *
 * @throws ValueError for a W that is no whole number of at least 1.
 */
export function fromKerasWindow(keys: number, { causal = false }: { readonly causal?: boolean } = {}): Mask {
  const reach = positive('fromKerasWindow', 'the window', keys, 1) - 1;
  return window({ left: reach, right: causal ? 0 : reach, align: 'start' });
}
