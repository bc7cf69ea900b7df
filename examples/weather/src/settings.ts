// Settings: everything that decides a fit, as plain data that a link or a message can carry.

import type { MaskName } from './masks.ts';
import type { NormalizerName } from './normalizers.ts';
import type { City } from './record.ts';
import type { Rows } from './rows.ts';
import type { ScoreName } from './scores.ts';
import type { Resolution } from './series.ts';

export interface Settings {
  readonly city: City;
  readonly resolution: Resolution;
  readonly rows: Rows;
  readonly score: ScoreName;
  /** Read when the score is `typed`. */
  readonly formula: string;
  readonly mask: MaskName;
  /** Read when the mask is `window`: steps to either side. */
  readonly reach: number;
  readonly normalizer: NormalizerName;
  /** Days. */
  readonly bandwidth: number;
}

export const defaults: Settings = {
  city: 'Seattle',
  resolution: 'weekly',
  rows: 'both',
  score: 'gaussian',
  formula: '-dot(q - k, q - k) / (2 * bandwidth^2)',
  mask: 'full',
  reach: 8,
  normalizer: 'softmax',
  bandwidth: 14,
};

/** The bandwidths to choose from, in days: from a day to a season. */
export const bandwidths: readonly number[] = [
  1, 1.5, 2, 3, 4, 5, 7, 10, 14, 18, 21, 25, 30, 37, 45, 60, 75, 90, 120,
];

export const farthestReach = 52;
export const longestFormula = 400;
