// The one demand that most layers make on what they are given.

import { ShapeError, type Tensor } from '@heed/tensor';

/** @throws ShapeError unless the last axis of x has this width. */
export function checkWidth(where: string, x: Tensor, width: number): void {
  if (x.shape.at(-1) === width) return;
  throw new ShapeError(`${where}: expected [..., width] = [..., ${width}], got [${x.shape.join(', ')}].`);
}
