// Making things once.

/** What `make` gave when the key was first asked for. */
export function remember<K, V>(kept: Map<K, V>, key: K, make: () => V): V {
  if (!kept.has(key)) kept.set(key, make());
  return kept.get(key) as V;
}
