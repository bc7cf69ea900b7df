// Every kind of machine that this one can play, for the laws. Memory that nobody wrote holds NaN on each.

import { type CpuOptions, cpu } from './index.ts';

const kinds: Readonly<Record<string, CpuOptions>> = {
  'one thread': { threads: 1 },
  'two threads': { threads: 2 },
  'no relaxed SIMD': { threads: 1, relaxed: false },
  turbo: { threads: 1, turbo: true },
  'turbo on two threads': { threads: 2, turbo: true },
};

export const machines = Object.entries(kinds).map(
  ([name, options]) => [name, cpu({ ...options, poison: true })] as const,
);
