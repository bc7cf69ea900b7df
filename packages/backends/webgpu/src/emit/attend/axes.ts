// Which names in an attention's expressions stand for places, and which for what another stage found.

import { type Axis, lengthNames } from '@heed/tensor';

const lengths: readonly string[] = Object.values(lengthNames);

export const isAxis = (name: string): name is Axis => Object.hasOwn(lengthNames, name);
export const isLength = (name: string): boolean => lengths.includes(name);

/** A product of rows that something else than the formula computes; no input has such a name. */
export const PRODUCT = '$product';

/** What one stage of an attention hands to the next, by name: it varies with the pair or the row. */
export const handed: ReadonlySet<string> = new Set(['score', 'level', 'maximum', 'count', PRODUCT]);
