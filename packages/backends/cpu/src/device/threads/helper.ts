// A thread that helps with the jobs of another, for as long as it lives. It never returns to its event loop.

import { Kernels } from './kernels.ts';
import { arrive, NEWS, sleep, type Words, work } from './protocol.ts';
import { AWAKE_FOR, spin } from './wait.ts';

export interface HelperStart {
  readonly role: 'helper';
  readonly memory: WebAssembly.Memory;
  readonly words: Words;
  /** Its number; whoever begins the jobs is 0. */
  readonly thread: number;
}

export function help({ memory, words, thread }: HelperStart): never {
  const kernels = new Kernels(memory);
  arrive(words, thread);
  for (;;) {
    const news = Atomics.load(words, NEWS);
    work(words, thread, kernels);
    if (!spin(words, NEWS, news, AWAKE_FOR)) sleep(words, thread, news);
  }
}
