// Seeds of parts from the seed of the whole: by name, so that what else a layer holds does not matter.

import { threefry } from '@heed/expr';

/** The seed, a whole number of 32 bits, that a part of this name has within something of this seed. */
export function seedOf(seed: number, name: string): number {
  // FNV-1a (Fowler, Noll, Vo) over the UTF-16 units; Threefry then mixes name and seed thoroughly.
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return threefry(seed | 0, hash | 0, 0, 0)[0] | 0;
}
