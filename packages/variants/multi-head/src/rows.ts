// Rows to heads and back.

import { ShapeError, type Tensor } from '@heed/tensor';

/** Rows [batch, length, width], and whether a batch was there. */
export interface Batched {
  readonly rows: Tensor;
  readonly batched: boolean;
}

/** @throws ShapeError for anything but [batch, length, width] and [length, width]. */
export function batched(where: string, name: string, rows: Tensor, width: number): Batched {
  if ((rows.rank !== 2 && rows.rank !== 3) || rows.shape.at(-1) !== width) {
    throw new ShapeError(
      `${where}: ${name} expects [batch, length, width] or [length, width] with a width of ${width}, got [${rows.shape.join(', ')}].`,
    );
  }
  return rows.rank === 3 ? { rows, batched: true } : { rows: rows.unsqueeze(0), batched: false };
}

/** [batch, length, heads * feature] to [batch, head, length, feature]. */
export function split(rows: Tensor, heads: number): Tensor {
  const [batch, length, width] = rows.shape as [number, number, number];
  return rows.reshape([batch, length, heads, width / heads]).permute([0, 2, 1, 3]);
}

/** [batch, head, length, feature] to [batch, length, heads * feature]. */
export function merge(rows: Tensor): Tensor {
  const [batch, heads, length, feature] = rows.shape as [number, number, number, number];
  return rows.permute([0, 2, 1, 3]).reshape([batch, length, heads * feature]);
}

/** Without the batch that was not there. */
export const lowered = (rows: Tensor, batched: boolean): Tensor => (batched ? rows : rows.squeeze(0));
