// Angles that grow with the position, each pair of features at a rate of its own.

import {
  arange,
  cast,
  type Device,
  type FloatDType,
  mul,
  type Tensor,
  tensor,
  ValueError,
} from '@heed/tensor';

/** base^(-2i / width) for i below width / 2, in radians a position. */
export const frequencies = (width: number, base: number): Float64Array<ArrayBuffer> =>
  Float64Array.from({ length: width / 2 }, (_, i) => base ** ((-2 * i) / width));

/** Whether the positions are counted from an offset, or given. */
export interface Places {
  /** Where the first row stands: how many rows a cache held before; 0 if left out. */
  readonly offset?: number;
  /** Where each row stands, int32 [length] or [batch, length]: for packed or padded sequences. Instead of `offset`. */
  readonly positions?: Tensor;
}

/** The angles of `length` rows: [length, rate], or [batch, length, rate] for positions of each batch entry. */
export function angles(
  where: string,
  device: Device,
  rates: Float64Array,
  length: number,
  dtype: FloatDType,
  { offset, positions }: Places,
): Tensor {
  if (offset !== undefined && !Number.isInteger(offset))
    throw new ValueError(`${where}: offset expects a whole number, got ${String(offset)}.`);
  if (offset !== undefined && positions)
    throw new ValueError(`${where}: offset and positions both say where rows stand. Give one of them.`);
  const at = positions ?? arange(device, length, { start: offset ?? 0 });
  // 16 bits could not tell positions apart; a wide result is rounded where it meets the rows.
  const wide = dtype === 'float64' ? 'float64' : 'float32';
  return mul(cast(at, wide).unsqueeze(-1), tensor(device, rates, { dtype: wide }));
}
