// The rows of a workgroup: tiles of the queries of one head, or of several heads that share a head of keys.

import type { Lanes } from '../lanes.ts';
import type { ShaderWriter } from '../shader.ts';
import type { Rows } from './source.ts';

/** The tile of rows that a workgroup has: i32 expressions that are the same in all of it. */
export interface RowTile {
  readonly batch: string;
  readonly keyHead: string;
  /** The head of all rows; null where the heads that share a head of keys follow each other, each with its queries. */
  readonly head: string | null;
  /** The first of these heads, where there are several. */
  readonly firstHead: string;
  /** Where the tile begins among the rows, and how many rows there are. */
  readonly first: string;
  readonly count: string;
}

/** Where a row lies. */
export interface RowPlace {
  readonly head: string;
  readonly query: string;
}

/** The place of a row, counted as the tile's `first` is. */
export function rowAt(shader: ShaderWriter, tile: RowTile, flat: string): RowPlace {
  if (tile.head !== null) return { head: tile.head, query: flat };
  const { code } = shader;
  const queries = shader.length('queryLength');
  const nth = code.let('nth', `${flat} / ${queries}`);
  return {
    head: code.let('head', `${tile.firstHead} + ${nth}`),
    query: code.let('query', `${flat} - ${nth} * ${queries}`),
  };
}

/** The rows of an invocation; what is read lies no further than `last`. */
export function rowsAt(shader: ShaderWriter, tile: RowTile, flat: Lanes, last: string): Rows {
  const read = flat.map((one) => rowAt(shader, tile, shader.code.let('read_row', `min(${one}, ${last})`)));
  // Beyond the last there is no head, so rows of several heads are told by where they read.
  const whole = tile.head === null ? read : flat.map((one) => rowAt(shader, tile, one));
  const heads = (of: readonly RowPlace[]): Lanes =>
    tile.head === null ? of.map(({ head }) => head) : [tile.head];
  return {
    batch: tile.batch,
    keyHead: tile.keyHead,
    head: heads(whole),
    query: whole.map(({ query }) => query),
    readHead: heads(read),
    readQuery: read.map(({ query }) => query),
  };
}
