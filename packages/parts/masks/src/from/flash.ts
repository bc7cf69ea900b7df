// Windows as FlashAttention counts them.

import type { Mask } from '@heed/attention';
import { full } from '../full.ts';
import { window } from '../window.ts';
import { positive } from './number.ts';

/** Farther than any key: half of what an int holds, so that a position may be added. */
const everything = 2 ** 30;

/**
 * The mask of FlashAttention's `window_size=(left, right)` and `causal`: as in heed, keys on either side without the query's
 * own, so that a left of W is W + 1 keys; -1 is no bound; `causal` makes the right 0. The last query stands at the last key
 * (since version 2.1), where PyTorch's and JAX's of the same numbers begin at the first: `align: 'start'`. ONNX' window sizes
 * count alike.
 *
 * @throws ValueError for numbers below -1.
 */
export function fromFlashWindow(
  left: number,
  right: number,
  { causal = false, align = 'end' }: { readonly causal?: boolean; readonly align?: 'start' | 'end' } = {},
): Mask {
  const [before, after] = [left, causal ? 0 : right].map((side, i) =>
    positive('fromFlashWindow', i === 0 ? 'left' : 'right', side, -1),
  ) as [number, number];
  if (before === -1 && after === -1) return full();
  const reach = (side: number): number => (side === -1 ? everything : side);
  return window({ left: reach(before), right: reach(after), align });
}
