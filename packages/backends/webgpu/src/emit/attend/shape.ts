// How a workgroup divides a tile of pairs among its invocations.

import type { Width } from '../lanes.ts';

/**
 * `down` times `across` invocations; each takes a group of rows, side by side, by `width` keys, side by side. Fewer rows
 * than `width` only where nothing else is `down`.
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

/** How many rows one WGSL value holds a number of: as many as it holds keys, if there are. */
export const cellWidth = ({ group, width }: TileShape): Width => (group % width === 0 ? width : 1);
/** Cells that hold a number for each row, or for each key, of the tile. */
export const rowCells = (shape: TileShape): number => rowsOf(shape) / cellWidth(shape);
export const keyCells = ({ across }: TileShape): number => across;
/** Cells that hold a number for each row of one invocation. */
export const groupCells = (shape: TileShape): number => shape.group / cellWidth(shape);
