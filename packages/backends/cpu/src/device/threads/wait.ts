// Waiting for a word to change, without the engine's help for as long as that is cheaper.
//
// A thread that sleeps takes 7 to 50 microseconds to wake, and on a virtual machine it often wakes on the processor of who
// woke it and stays there for milliseconds: jobs that follow within a millisecond or two find it awake instead.

import type { Words } from './protocol.ts';

/** Milliseconds for which a thread stays awake between jobs. */
export const AWAKE_FOR = 1.5;
/** Looks between two looks at the clock. */
const LOOKS = 64;

const { pause } = Atomics as { pause?: () => void };
/** The clock of every host, which the language itself does not know; Node loads it, about a millisecond, when it is asked for. */
export const performance = {
  now: () => (globalThis as unknown as { performance: { now(): number } }).performance.now(),
};

/** Whether a word changed from a value within so many milliseconds. */
export function spin(words: Words, at: number, from: number, milliseconds: number): boolean {
  const end = performance.now() + milliseconds;
  for (;;) {
    for (let look = 0; look < LOOKS; look++) {
      if (Atomics.load(words, at) !== from) return true;
      pause?.();
    }
    if (performance.now() > end) return false;
  }
}

/** Whether this thread may block. A page's main thread may not. */
export function mayBlock(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0);
    return true;
  } catch {
    return false;
  }
}
