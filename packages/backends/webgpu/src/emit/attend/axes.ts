// The axes of an attention, and the names of the places that tell where along them a pair lies.

import type { Axis } from '@heed/tensor';

export const axes: readonly Axis[] = ['batch', 'head', 'keyHead', 'query', 'key'];

/** The place, and the call's size, that holds the length of each axis. */
export const lengthOf: Readonly<Record<Axis, string>> = {
  batch: 'batches',
  head: 'heads',
  keyHead: 'keyHeads',
  query: 'queryLength',
  key: 'keyLength',
};

export const isAxis = (name: string): name is Axis => Object.hasOwn(lengthOf, name);
export const isLength = (name: string): boolean => Object.values(lengthOf).includes(name);

/** What one stage of an attention hands to the next, by name: it varies with the pair or the row. */
export const handed: ReadonlySet<string> = new Set(['score', 'level', 'maximum', 'count']);
