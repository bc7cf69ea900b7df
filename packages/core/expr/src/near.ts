// Names that are nearly the one that was written.

/** The known names closest to an unknown one, the closest first: at most three, none that differ too much. */
export function near(name: string, known: Iterable<string>): string[] {
  // One slip for every three letters, and a swap of neighbours counts as one.
  const most = Math.max(1, Math.floor(name.length / 3));
  return [...known]
    .filter((one) => Math.abs(one.length - name.length) <= most)
    .map((one) => ({ one, slips: distance(name.toLowerCase(), one.toLowerCase()) }))
    .filter(({ slips }) => slips <= most)
    .sort((a, b) => a.slips - b.slips || (a.one < b.one ? -1 : 1))
    .slice(0, 3)
    .map(({ one }) => one);
}

/** ` Did you mean "a" or "b"?`, or nothing: to follow a sentence. */
export const didYouMean = (name: string, known: Iterable<string>): string => {
  const found = near(name, known);
  return found.length > 0 ? ` Did you mean ${found.map((one) => `"${one}"`).join(' or ')}?` : '';
};

/** Letters added, dropped, changed, or swapped with their neighbour (Damerau, Levenshtein). */
function distance(a: string, b: string): number {
  const cost = Array.from({ length: a.length + 1 }, (_, i) =>
    Array.from({ length: b.length + 1 }, (_, j) => (i === 0 ? j : i)),
  );
  const at = (i: number, j: number): number => cost[i]?.[j] ?? 0;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const changed = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const least = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + changed);
      (cost[i] as number[])[j] = swapped ? Math.min(least, at(i - 2, j - 2) + 1) : least;
    }
  }
  return at(a.length, b.length);
}
