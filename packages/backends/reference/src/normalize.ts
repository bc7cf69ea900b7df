// From the scores of a row to its level, and from both to weights.

import type { AttendProgram } from '@heed/tensor';
import { folds } from './fold.ts';
import type { Row, Scene } from './scene.ts';

/** The pairs of a row that the mask allows. */
export interface Pairs {
  readonly row: Row;
  readonly count: number;
  /** The positions of the first `count` keys, and their scores. */
  readonly keys: Int32Array;
  readonly scores: Float64Array;
  /** The score of the key that has no value; null where there is none. */
  readonly sink: number | null;
}

/** The level of a row as it is kept, and as weights are computed from it: both less a shift of the scores. */
export interface Level {
  readonly level: number;
  readonly shift: number;
  readonly shifted: number;
}

export interface Normalizer {
  /**
   * The level of a row; NaN where none is solved for. It is -infinity where nothing can take weight: no key is allowed,
   * or the largest score is -infinity. The row is then empty, whatever the formula of the weight says.
   */
  level(pairs: Pairs): Level;
  /** The weight of a score at a level; `toRow` must have been called, `key` says which pair it is. */
  weight(score: number, level: Level, key: number): number;
  toRow(row: Row): void;
}

/** Whether a row takes no part: its context, weights and gradients are zero. */
export const isEmpty = (pairs: Pairs, level: number): boolean => pairs.count === 0 || level === -Infinity;

const unshifted = (level: number): Level => ({ level, shift: 0, shifted: level });

export function normalizer({ normalizer: form }: AttendProgram, scene: Scene): Normalizer {
  const { cells } = scene;
  const weights = scene.follow([form.weight]);
  const bounds =
    form.level.by === 'root' ? [scene.follow([form.level.low]), scene.follow([form.level.high])] : [];

  const weight = (score: number, level: number, key: number): number => {
    weights.toKey(key);
    cells.score[0] = score;
    cells.level[0] = level;
    return weights.get();
  };

  // What the weights of a row sum to, less the one that they should.
  const excess = ({ count, scores, keys, sink }: Pairs, level: number): number => {
    let sum = sink === null ? 0 : weight(sink, level, 0);
    for (let n = 0; n < count; n++) sum += weight(scores[n]!, level, keys[n]!);
    return sum - 1;
  };

  // Halves the interval until no float lies between its ends: as near to the root as float64 can tell. Around zero floats
  // go on to 1e-324; 200 halvings are beyond what any sum of weights resolves.
  const root = (pairs: Pairs, maximum: number): number => {
    cells.maximum[0] = maximum;
    cells.count[0] = pairs.count + (pairs.sink === null ? 0 : 1);
    let [low, high] = bounds.map((bound) => {
      bound.toRow(pairs.row);
      return bound.get();
    }) as [number, number];
    for (let halvings = 0; halvings < 200; halvings++) {
      const middle = low + (high - low) / 2;
      if (!(middle > low && middle < high)) break;
      if (excess(pairs, middle) >= 0) low = middle;
      else high = middle;
    }
    return Math.abs(excess(pairs, high)) < Math.abs(excess(pairs, low)) ? high : low;
  };

  const solve: { readonly [K in typeof form.level.by]: (pairs: Pairs, maximum: number) => Level } = {
    none: () => unshifted(Number.NaN),
    // log sum exp(e) = m + log sum exp(e - m): the largest term is one, so that nothing overflows. The weights keep the
    // difference too, since m + log sum is m where m is large.
    'log-sum-exp': ({ count, scores, sink }, maximum) => {
      let sum = sink === null ? 0 : Math.exp(sink - maximum);
      for (let n = 0; n < count; n++) sum += Math.exp(scores[n]! - maximum);
      return { level: maximum + Math.log(sum), shift: maximum, shifted: Math.log(sum) };
    },
    root: (pairs, maximum) => unshifted(root(pairs, maximum)),
    argmax: ({ count, scores, keys, sink }) => {
      const first = folds.argmax();
      for (let n = 0; n < count; n++) first.take(scores[n]!);
      if (sink !== null) first.take(sink);
      return unshifted(first.total === count ? scene.sizes.key : keys[first.total]!);
    },
  };

  return {
    weight: (score, { shift, shifted }, key) => weight(score - shift, shifted, key),
    toRow: (row) => weights.toRow(row),
    level(pairs) {
      const { count, scores, sink } = pairs;
      const largest = folds.max();
      if (sink !== null) largest.take(sink);
      for (let n = 0; n < count; n++) largest.take(scores[n]!);
      const solved = form.level.by !== 'none';
      if (count === 0 || (solved && largest.total === -Infinity)) return unshifted(-Infinity);
      return solve[form.level.by](pairs, largest.total);
    },
  };
}
