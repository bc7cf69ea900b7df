// The pairs of a row: the mask decides which there are, and only these are scored.

import type { AttendProgram } from '@heed/tensor';
import type { Pairs } from './normalize.ts';
import type { Row, Scene } from './scene.ts';

/** A reader of rows. What it gives is valid until the next row is read. */
export function pairsOf({ mask, score, normalizer }: AttendProgram, scene: Scene): (row: Row) => Pairs {
  const allowed = scene.follow([mask]);
  const scored = scene.follow([score]);
  const sink = normalizer.sink ? scene.follow([normalizer.sink]) : null;
  const keys = new Int32Array(scene.sizes.key);
  const scores = new Float64Array(scene.sizes.key);
  return (row) => {
    allowed.toRow(row);
    scored.toRow(row);
    sink?.toRow(row);
    let count = 0;
    for (let key = 0; key < keys.length; key++) {
      allowed.toKey(key);
      if (allowed.get() === 0) continue;
      scored.toKey(key);
      keys[count] = key;
      scores[count] = scored.get();
      count++;
    }
    return { row, count, keys, scores, sink: sink ? sink.get() : null };
  };
}
