// How a workgroup divides a tile of pairs among its invocations.

import type { Width } from '../lanes.ts';

/**
 * `down` times `across` invocations; each takes a group of rows, side by side, by `width` keys, side by side. A cell is
 * what one WGSL value holds: `width` numbers.
 */
export interface TileShape {
  readonly down: number;
  readonly across: number;
  readonly group: number;
  readonly width: Width;
}

export const rowsOf = ({ down, group }: TileShape): number => down * group;
export const keysOf = ({ across, width }: TileShape): number => across * width;
export const invocationsOf = ({ down, across }: TileShape): number => down * across;

/** Cells that hold a number for each row, or for each key, of the tile. */
export const rowCells = (shape: TileShape): number => rowsOf(shape) / shape.width;
export const keyCells = ({ across }: TileShape): number => across;
/** Cells that hold a number for each row of one invocation. */
export const groupCells = ({ group, width }: TileShape): number => group / width;
