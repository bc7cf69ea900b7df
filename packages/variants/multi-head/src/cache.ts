// Keys and values of rows that were seen, so that each is projected once.

import { concat, type Tensor, ValueError } from '@heed/tensor';

/**
 * What a layer remembers of a sequence while it is continued. A value: a call returns another and leaves this one as it
 * is, so that several continuations may begin at one. Tensors [batch, keyHead, key, feature], keys after rotation.
 */
export interface KeyValueCache {
  readonly kind: 'key-value-cache';
  /** Null before the first call. */
  readonly key: Tensor | null;
  readonly value: Tensor | null;
  /** How many rows have been seen: where the next one stands. */
  readonly seen: number;
  /** How many rows are kept, the latest ones; null for all. */
  readonly keep: number | null;
  /** Frees keys and values. The cache that a call returned has its own. */
  dispose(): void;
}

export interface CacheOptions {
  /**
   * Keeps the latest rows only: for a window, which sees no further back. With `window({ left, right: 0, align: 'end' })` keep
   * `left` rows; where fewer are kept, rows that the mask allows are gone.
   */
  readonly keep?: number;
}

/**
 * An empty cache. One that grows, or, with `keep`, one that goes round.
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
export function keyValueCache({ keep }: CacheOptions = {}): KeyValueCache {
  if (keep !== undefined && !(Number.isSafeInteger(keep) && keep >= 1))
    throw new ValueError(`keyValueCache: keep expects a whole number of at least 1, got ${String(keep)}.`);
  return cacheOf(null, null, 0, keep ?? null);
}

/** The keys and values that a call attends to, and the cache after it. */
export function remember(
  { key, value, seen, keep }: KeyValueCache,
  newKey: Tensor,
  newValue: Tensor,
): { readonly key: Tensor; readonly value: Tensor; readonly cache: KeyValueCache } {
  const length = newKey.shape[2] as number;
  const allKeys = key ? concat([key, newKey], { axis: 2 }) : newKey;
  const allValues = value ? concat([value, newValue], { axis: 2 }) : newValue;
  const total = allKeys.shape[2] as number;
  const first = keep === null ? 0 : Math.max(0, total - keep);
  // Tensors of its own: what a call returns and what it attended to end apart.
  const [ownKey, ownValue] = [allKeys.slice(2, first), allValues.slice(2, first)];
  return { key: allKeys, value: allValues, cache: cacheOf(ownKey, ownValue, seen + length, keep) };
}

const cacheOf = (
  key: Tensor | null,
  value: Tensor | null,
  seen: number,
  keep: number | null,
): KeyValueCache =>
  Object.freeze({
    kind: 'key-value-cache',
    key,
    value,
    seen,
    keep,
    dispose: () => {
      key?.dispose();
      value?.dispose();
    },
  });
