// Measuring: medians, since one machine is never quiet.

/** Milliseconds: the middle run, and the range that half of the runs lie in. */
export interface Measured {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly runs: number;
}

export function summary(given: readonly number[]): Measured {
  const times = given.toSorted((a, b) => a - b);
  const at = (part: number): number => times[Math.floor(part * (times.length - 1))] as number;
  return { median: at(0.5), low: at(0.25), high: at(0.75), runs: times.length };
}

/** Times `run` after a warm-up, until there are enough runs or the time is spent. */
export async function measure(run: () => unknown, { runs = 40, seconds = 2 } = {}): Promise<Measured> {
  for (let i = 0; i < 3; i++) await run();
  const times: number[] = [];
  const end = performance.now() + seconds * 1000;
  while (times.length < 5 || (times.length < runs && performance.now() < end)) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  return summary(times);
}
