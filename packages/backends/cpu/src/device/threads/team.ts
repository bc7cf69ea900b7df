// The threads that help with the jobs on one memory: begun when first needed, watched, replaced when they end.

import type { HelperStart } from './helper.ts';
import { startThread, type Thread } from './host.ts';
import { bury, present, type Words, wordsFor } from './protocol.ts';

/** So many threads may end before no more are begun. */
const MOST_ENDS = 8;

export interface TeamOptions {
  readonly memory: WebAssembly.Memory;
  /** With the one that begins the jobs. */
  readonly threads: number;
  /** A thread ended in the middle of a part of the job. */
  readonly lost: (part: number, reason: string) => void;
}

export class Team {
  readonly words: Words;
  readonly threads: number;
  readonly #options: TeamOptions;
  readonly #helpers = new Map<number, Thread>();
  #started = false;
  #closed = false;
  #ends = 0;
  #note: string | undefined;

  constructor(options: TeamOptions) {
    this.threads = options.threads;
    this.words = wordsFor(options.threads);
    this.#options = options;
  }

  /** Begins the threads, if that was not done yet. They come when they come: nobody waits for them. */
  start(): void {
    if (this.#started || this.#closed) return;
    this.#started = true;
    for (let thread = 1; thread < this.threads; thread++) this.#hire(thread);
  }

  /** What happened to threads, for people. */
  get notes(): readonly string[] {
    return this.#note === undefined ? [] : [this.#note];
  }

  /** The threads by number. For tests, which end some. */
  get helpers(): ReadonlyMap<number, Thread> {
    return this.#helpers;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const helpers = [...this.#helpers.values()];
    this.#helpers.clear();
    await Promise.all(helpers.map((helper) => helper.end()));
  }

  #hire(thread: number): void {
    const { words } = this;
    const start: HelperStart = { role: 'helper', memory: this.#options.memory, words, thread };
    try {
      const helper = startThread(start, {
        message: () => {},
        ended: (reason) => this.#ended(thread, reason),
      });
      this.#helpers.set(thread, helper);
    } catch (error) {
      this.#note = `no other threads: ${(error as Error).message}`;
    }
  }

  #ended(thread: number, reason: string): void {
    if (this.#closed) return;
    const began = present(this.words, thread);
    this.#helpers.delete(thread);
    this.#ends++;
    const again = began && this.#ends < MOST_ENDS;
    this.#note = again
      ? `a thread ended (${reason}) and was replaced`
      : `${this.#helpers.size + 1} of ${this.threads} threads: the others ended (${reason})`;
    const part = bury(this.words, thread);
    if (again) this.#hire(thread);
    if (part >= 0) this.#options.lost(part, reason);
  }
}
