// A cache that grows with its sequence, or keeps the latest rows only.

import { concat, type Tensor, ValueError } from '@heed/tensor';
import type { KeyValueCache, Remembered } from './cache.ts';

/** A cache of tensors: each call joins them with its own rows. */
export interface GrowingCache extends KeyValueCache {
  /** [batch, keyHead, key, feature]; null before the first call. */
  readonly key: Tensor | null;
  readonly value: Tensor | null;
  /** How many rows have been seen: where the next one stands. */
  readonly seen: number;
  /** How many rows are kept, the latest ones; null for all. */
  readonly keep: number | null;
  readonly add: (key: Tensor, value: Tensor) => Remembered<GrowingCache>;
}

export interface CacheOptions {
  /**
   * Keeps the latest rows only: for a window, which sees no further back. With `window({ left, right: 0, align: 'end' })` keep
   * `left` rows; where fewer are kept, rows that the mask allows are gone.
   */
  readonly keep?: number;
}

/**
 * An empty cache. One that grows, or, with `keep`, one that goes round. Gradients flow through it.
 *
 * @throws ValueError for a `keep` that is no whole number of at least 1.
 * @example
 * let cache = keyValueCache();
 * for (const row of rows) {
 *   const next = layer(row, { cache });
 *   cache.dispose();
 *   cache = next.cache;
 * }
 */
export function keyValueCache({ keep }: CacheOptions = {}): GrowingCache {
  if (keep !== undefined && !(Number.isSafeInteger(keep) && keep >= 1))
    throw new ValueError(`keyValueCache: keep expects a whole number of at least 1, got ${String(keep)}.`);
  return cacheOf(null, null, 0, keep ?? null);
}

const cacheOf = (key: Tensor | null, value: Tensor | null, seen: number, keep: number | null): GrowingCache =>
  Object.freeze({
    kind: 'key-value-cache',
    key,
    value,
    seen,
    keep,
    places: () => ({ offset: seen }),
    add: (newKey: Tensor, newValue: Tensor) => {
      const allKeys = key ? concat([key, newKey], { axis: 2 }) : newKey;
      const allValues = value ? concat([value, newValue], { axis: 2 }) : newValue;
      const total = allKeys.shape[2] as number;
      const first = keep === null ? 0 : Math.max(0, total - keep);
      // Tensors of its own: what a call returns and what it attended to end apart.
      const [ownKey, ownValue] = [allKeys.slice(2, first), allValues.slice(2, first)];
      const rows = newKey.shape[2] as number;
      return {
        key: allKeys,
        value: allValues,
        lengths: null,
        cache: cacheOf(ownKey, ownValue, seen + rows, keep),
      };
    },
    dispose: () => {
      key?.dispose();
      value?.dispose();
    },
  });
