// What every set of laws can be told.

import { reference } from '@heed/reference';
import type { BackendPlugin } from '@heed/tensor';
import type { SceneOptions } from '../scene/scene.ts';
import type { Skip } from './law.ts';

export interface LawOptions extends SceneOptions {
  /** Where the laws are tried; the reference if left out. */
  readonly backend?: BackendPlugin;
  /** How many random scenes each law is tried on; 5 if left out. */
  readonly runs?: number;
  /** The seed of all randomness. One seed, one outcome; a failure prints it. 1 if left out. */
  readonly seed?: number;
  /** The fewest queries and keys of a scene, at most 6; 0 if left out, so that empty ones are among them. */
  readonly least?: number;
  /** Multiplies every tolerance, for a device whose functions are less accurate than those of a CPU. */
  readonly factor?: number;
  readonly skip?: readonly Skip[];
}

/** Options with every default in place. */
export type Settings = LawOptions & Required<Pick<LawOptions, 'backend' | 'runs' | 'seed' | 'factor'>>;

export const settle = (options: LawOptions): Settings => ({
  ...options,
  backend: options.backend ?? reference(),
  runs: options.runs ?? 5,
  seed: options.seed ?? 1,
  factor: options.factor ?? 1,
});
