// Packed sequences by where they begin.

import { ValueError } from '@heed/tensor';
import { positive } from './number.ts';

/**
 * The document of each position, for the mask `document`, from the cumulative lengths of packed sequences: FlashAttention's
 * and PyTorch's `cu_seqlens`, [0, 3, 5] for sequences of 3 and 2. They begin with 0 and end with the number of positions.
 *
 * @throws ValueError where they do not begin with 0 or fall.
 * @example tensor(device, fromCumulativeLengths([0, 3, 5]), { dtype: 'int32', shape: [5] }) // 0 0 0 1 1
 */
export function fromCumulativeLengths(ends: readonly number[]): Int32Array<ArrayBuffer> {
  for (const [i, end] of ends.entries())
    positive('fromCumulativeLengths', `entry ${i}`, end, i === 0 ? 0 : (ends[i - 1] as number));
  if (ends[0] !== 0)
    throw new ValueError(
      `fromCumulativeLengths: expected a list that begins with 0 and ends with the number of positions, got [${ends.join(', ')}].`,
    );
  const ids = new Int32Array(ends.at(-1) as number);
  for (const [id, start] of ends.entries()) ids.fill(id, start, ends[id + 1] ?? start);
  return ids;
}
