// Training and evaluation told apart: each call says which it is, and nothing remembers it.

import { ValueError } from '@heed/tensor';
import { seedOf } from './seed.ts';

/** Whether this call trains, and what its dropout draws from. */
export interface Mode {
  /** True drops; false, for evaluation, passes everything through. Needed where there is anything to drop. */
  readonly train?: boolean;
  /** Needed while training with dropout: the same seed drops the same elements. Give each step its own. */
  readonly seed?: number;
}

/** The mode of a layer within a layer: it drops other elements than its neighbours do. */
export const modeOf = ({ train, seed }: Mode, name: string): Mode => ({
  ...(train === undefined ? {} : { train }),
  ...(seed === undefined ? {} : { seed: seedOf(seed, name) }),
});

/**
 * Whether to drop. For layers that have something to drop.
 *
 * @throws ValueError for a call that does not say, and for training without a seed.
 */
export function isTraining(where: string, { train, seed }: Mode): boolean {
  if (train === undefined) {
    throw new ValueError(
      `${where}: with dropout each call must say whether it trains: { train: true, seed } or { train: false }.`,
    );
  }
  if (train && !(Number.isInteger(seed) && Math.abs(seed as number) < 2 ** 31)) {
    throw new ValueError(
      `${where}: training with dropout needs a seed, a whole number of 32 bits: { train: true, seed: 1 }. Got ${String(seed)}. ` +
        'The same seed drops the same elements; give each step its own.',
    );
  }
  return train;
}
