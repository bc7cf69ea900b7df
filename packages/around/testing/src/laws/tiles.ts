// The law of tiles: what interval arithmetic decides about a block of pairs holds for each of them.

import { compose, type Mask } from '@heed/attention';
import { type Box, bounder, type Expr, type Interval, inputsOf, type Sizes } from '@heed/expr';
import { ensure } from '../assert.ts';
import type { Random } from '../random.ts';
import { Formula } from '../scene/formula.ts';
import type { Field, Scene } from '../scene/scene.ts';
import type { Law } from './law.ts';
import type { Subject } from './subject.ts';
import { trials } from './trial.ts';

/** Prepares the decision about tiles: the interval of a condition over a box. */
export type Bounder = (root: Expr, sizes?: Sizes) => (box: Box) => Interval;

export const tilesTell = ({ options, settings }: Subject, mask: Mask, prepare: Bounder = bounder): Law => ({
  name: 'a tile decided true has only allowed pairs, and one decided false has none',
  check: async () => {
    const spec = compose(options, false);
    const many = { ...settings, runs: 6 * settings.runs };
    await trials(spec, many, { most: 24 }, async ({ scene, random }) =>
      checkTiles(mask, scene, random, prepare),
    );
  },
});

/** Draws tiles, decides each from intervals, and looks at every pair in it. */
function checkTiles(mask: Mask, scene: Scene, random: Random, prepare: Bounder): void {
  const { batch, head, keyHead, query, key } = scene.lengths;
  const formula = new Formula(mask.body, scene);
  const intervalOf = prepare(mask.body, scene.sizes);
  const range = (length: number): readonly [number, number] => {
    const low = random.integer(0, length - 1);
    return [low, random.integer(low, length - 1)];
  };
  if (query === 0 || key === 0) return;
  for (let n = 0; n < 12; n++) {
    const [b, h] = [random.integer(0, batch - 1), random.integer(0, head - 1)];
    const at = { batch: b, head: h, keyHead: Math.floor((h * keyHead) / head) };
    const [i0, i1] = range(query);
    const [j0, j1] = range(key);
    const tile: Tile = { ...at, query: [i0, i1], key: [j0, j1] };
    const { low, high } = intervalOf(boxOf(mask, scene, tile));
    if (low !== high) continue;
    for (let i = i0; i <= i1; i++) {
      for (let j = j0; j <= j1; j++) {
        const truth = formula.number({ ...at, query: i, key: j });
        ensure(truth === low, () => {
          const where = `queries ${i0} to ${i1}, keys ${j0} to ${j1} of batch ${b}, head ${h}`;
          return `a tile (${where}) was decided ${low === 1}, but query ${i} and key ${j} are ${truth === 1 ? 'allowed' : 'not allowed'}`;
        });
      }
    }
  }
}

interface Tile {
  readonly batch: number;
  readonly head: number;
  readonly keyHead: number;
  readonly query: readonly [number, number];
  readonly key: readonly [number, number];
}

/** The interval of every input over a tile: positions, lengths, and the least and greatest of what tables hold there. */
function boxOf(mask: Mask, scene: Scene, tile: Tile): Box {
  const { lengths, fields, uniforms } = scene;
  const point = (value: number): Interval => ({ low: value, high: value });
  const known: Record<string, Interval> = {
    batch: point(tile.batch),
    head: point(tile.head),
    keyHead: point(tile.keyHead),
    query: { low: tile.query[0], high: tile.query[1] },
    key: { low: tile.key[0], high: tile.key[1] },
    batches: point(lengths.batch),
    heads: point(lengths.head),
    keyHeads: point(lengths.keyHead),
    queryLength: point(lengths.query),
    keyLength: point(lengths.key),
  };
  const box: Record<string, Interval> = {};
  for (const { data } of inputsOf([mask.body])) {
    const { name } = data;
    const field = fields[name];
    const uniform = uniforms[name];
    const found = field ? rangeOf(field, tile) : uniform !== undefined ? point(uniform) : known[name];
    if (found) box[name] = found;
  }
  return box;
}

/** The least and the greatest number of a field inside a tile. */
function rangeOf(field: Field, tile: Tile): Interval {
  const inside = field.along.map((axis, i) => {
    const at = tile[axis];
    const size = field.shape[i] as number;
    return size === 1 ? [0, 0] : typeof at === 'number' ? [at, at] : at;
  });
  const inner = field.shape.slice(field.along.length).reduce((all, size) => all * size, 1);
  let [low, high] = [Infinity, -Infinity];
  const visit = (axis: number, offset: number): void => {
    const bounds = inside[axis];
    if (!bounds) {
      for (let n = 0; n < inner; n++) {
        const value = field.data[offset * inner + n] as number;
        [low, high] = [Math.min(low, value), Math.max(high, value)];
      }
      return;
    }
    const [from, to] = bounds as readonly [number, number];
    for (let i = from; i <= to; i++) visit(axis + 1, offset * (field.shape[axis] as number) + i);
  };
  visit(0, 0);
  return { low, high };
}
