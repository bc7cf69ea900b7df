// Rows with a batch in front, whether they came with one or not.

import { ShapeError, type Tensor } from '@heed/tensor';

/** @throws ShapeError for anything but [batch, length, width] and [length, width]. */
export function sequence(
  where: string,
  rows: Tensor,
  width: number,
): { readonly x: Tensor; readonly batched: boolean } {
  if ((rows.rank !== 2 && rows.rank !== 3) || rows.shape.at(-1) !== width) {
    throw new ShapeError(
      `${where}: expected rows [batch, length, width] or [length, width] with a width of ${width}, got [${rows.shape.join(', ')}].`,
    );
  }
  return rows.rank === 3 ? { x: rows, batched: true } : { x: rows.unsqueeze(0), batched: false };
}

export const lower = (rows: Tensor, batched: boolean): Tensor => (batched ? rows : rows.squeeze(0));
