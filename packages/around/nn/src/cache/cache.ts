// What a layer remembers of a sequence while it is continued.

import type { Tensor } from '@heed/tensor';
import type { Places } from '../positions/angles.ts';

/**
 * Keys and values of rows that were seen, so that each is projected once. A value: a call returns another and leaves this one
 * as it is, so that several continuations may begin at one. Rows are [batch, keyHead, row, feature], keys after rotation.
 */
export interface KeyValueCache {
  readonly kind: 'key-value-cache';
  /** Where so many rows more stand, for positions. */
  readonly places: (rows: number) => Places;
  /** The keys and values that a call attends to, its own rows included, and the cache after it. */
  readonly add: (key: Tensor, value: Tensor) => Remembered<KeyValueCache>;
  /** Frees what it keeps. The cache that a call returned has its own. */
  dispose(): void;
}

/** What `add` gives. */
export interface Remembered<C extends KeyValueCache> {
  /** [batch, keyHead, key, feature]. */
  readonly key: Tensor;
  readonly value: Tensor;
  /** How many keys each sequence has, where sequences may differ in length; null where all have all. */
  readonly lengths: readonly number[] | null;
  readonly cache: C;
}

/** What a call of a layer gives, with the weights and the cache that it may be asked for. */
export interface Asked {
  readonly weights?: Tensor;
  readonly cache?: KeyValueCache;
}

/** The tensor alone, or with what the call C asked for: weights, or the cache after its own. */
export type Given<C, R extends Asked> = C extends { readonly weights: true | { readonly pool: number } }
  ? Omit<R, 'cache'> & { readonly weights: Tensor } & WithCache<C>
  : C extends { readonly cache: KeyValueCache }
    ? Omit<R, 'cache'> & WithCache<C>
    : C extends { readonly weights: boolean }
      ? Tensor | R
      : Tensor;
type WithCache<C> = C extends { readonly cache: infer K extends KeyValueCache }
  ? { readonly cache: K }
  : unknown;
