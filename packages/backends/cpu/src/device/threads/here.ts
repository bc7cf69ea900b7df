// The crew of a thread that may block: it takes part in each job, and a job is done when `run` returns. As a rule: where
// the others take long for their last parts, or one of them has died, the job ends later, and the rest waits in order.

import type { Compile } from './compile.ts';
import type { Crew, Places } from './crew.ts';
import { cut, type Failure, type Job, type Loaded } from './job.ts';
import { Kernels } from './kernels.ts';
import { Order } from './order.ts';
import {
  awake,
  DONE,
  finish,
  partsOf,
  perform,
  post,
  trapped,
  WAITING,
  type Words,
  work,
} from './protocol.ts';
import { Span } from './span.ts';
import { performance, spin } from './wait.ts';

/**
 * Elements (about 0.3 ns each) from which on a job is shared out: while the others are awake, and when they must be woken,
 * which takes them tens of microseconds.
 */
export const SHARED_FROM = 2 ** 16;
const WOKEN_FROM = 2 ** 18;
/** Elements of jobs worth sharing after which threads are begun, which costs this one a millisecond each. */
const BEGUN_FROM = 2 ** 21;
/**
 * Milliseconds for which the last parts are waited for awake. Not longer: who does them may be on this very processor, and
 * not get on until this thread sleeps.
 */
const SPIN = 0.2;
/** Milliseconds without a part being done after which the job is left to end by itself. */
const PATIENCE = 100;
/** Milliseconds between looks at a job that ends by itself. */
const LOOK = 2;

const { setTimeout } = globalThis as unknown as {
  setTimeout(then: () => void, milliseconds: number): unknown;
};

/** Those who help. */
export interface Helpers {
  readonly words: Words;
  readonly threads: number;
  /** Begins them, if that was not done yet. */
  start(): void;
  readonly notes: readonly string[];
  close(): Promise<void>;
}

export interface HereOptions {
  readonly memory: WebAssembly.Memory;
  readonly places: Places;
  readonly compile: Compile;
  /** Makes those who help; null for nobody. */
  readonly helpers: ((lost: (part: number, reason: string) => void) => Helpers) | null;
  readonly notes: readonly string[];
  /** For tests: nobody helps, but the work is done in the shares of so many threads, the last one first. */
  readonly rehearse?: number;
}

interface Begun {
  readonly job: Job;
  readonly failed: (failure: Failure) => void;
}

export class Here implements Crew {
  readonly threads: number;
  readonly #options: HereOptions;
  readonly #span: Span;
  readonly #kernels: Kernels;
  readonly #helpers: Helpers | null;
  readonly #order = new Order();
  /** The job that ends by itself. */
  #late: Begun | undefined;
  #loaded = 0;
  /** Elements of jobs that were worth sharing, so far. */
  #met = 0;

  constructor(options: HereOptions) {
    this.#options = options;
    this.#span = new Span(options.memory);
    this.#kernels = new Kernels(options.memory);
    this.#helpers = options.helpers?.((part, reason) => this.#lost(part, reason)) ?? null;
    this.threads = this.#helpers?.threads ?? 1;
  }

  get notes(): readonly string[] {
    return [...this.#options.notes, ...(this.#helpers?.notes ?? [])];
  }

  load(emitted: Uint8Array<ArrayBuffer>, place: (bytes: number) => number): Loaded {
    const id = ++this.#loaded;
    const { module, bytes } = this.#options.compile(emitted);
    this.#kernels.add(id, module);
    if (!this.#helpers) return { id, code: 0, length: 0 };
    const code = place(bytes.length);
    this.write(code, bytes);
    return { id, code, length: bytes.length };
  }

  write(address: number, bytes: Uint8Array): void {
    // Whoever wrote may change his bytes afterwards.
    const kept = this.#order.held ? bytes.slice() : bytes;
    this.#order.next(() => this.#span.at(address, kept.length).set(kept));
  }

  fill(address: number, bytes: number, value: number): void {
    this.#order.next(() => this.#span.at(address, bytes).fill(value));
  }

  run(job: Job, failed: (failure: Failure) => void): void {
    this.#order.next(() => this.#begin({ job, failed }));
  }

  read(address: number, bytes: number): Promise<Uint8Array<ArrayBuffer>> {
    return new Promise((resolve, reject) =>
      this.#order.next(() => resolve(this.#span.copy(address, bytes)), reject),
    );
  }

  async close(reason: Error): Promise<void> {
    this.#late = undefined;
    // What is asked for from now on has nobody to do it.
    this.#order.hold();
    this.#order.drop(reason);
    await this.#helpers?.close();
  }

  #begin(begun: Begun): void {
    const { job, failed } = begun;
    const { frame, flag } = this.#options.places;
    this.#span
      .at(frame, job.frame.byteLength)
      .set(new Uint8Array(job.frame.buffer, job.frame.byteOffset, job.frame.byteLength));
    this.#span.at(flag, 4).fill(0);
    const helpers = this.#helpers;
    const part = cut(job, this.threads);
    if (!helpers || part.chunks < 2 || !this.#worthSharing(job, helpers)) {
      this.#alone(job, failed);
      this.#end(begun);
      return;
    }
    const { kernel, units, scratch, stride } = job;
    const { id, code, length } = kernel;
    post(helpers.words, { kernel: id, code, length, frame, units, ...part, scratch, stride });
    work(helpers.words, 0, this.#kernels);
    if (waitFor(helpers.words)) this.#endShared(begun, helpers.words);
    else {
      this.#late = begun;
      this.#order.hold();
      this.#look();
    }
  }

  #worthSharing({ units, weight }: Job, helpers: Helpers): boolean {
    const elements = units * weight;
    if (elements < SHARED_FROM) return false;
    this.#met += elements;
    if (this.#met < BEGUN_FROM) return false;
    helpers.start();
    return elements >= WOKEN_FROM || awake(helpers.words);
  }

  #alone(job: Job, failed: (failure: Failure) => void): void {
    const { frame } = this.#options.places;
    const { kernel, units, scratch } = job;
    const { rehearse = 1 } = this.#options;
    const chunk = rehearse > 1 ? Math.ceil(units / rehearse) : cut(job, 1).chunk;
    const last = Math.ceil(units / chunk) - 1;
    try {
      const run = this.#kernels.get(kernel.id, kernel.code, kernel.length);
      for (let i = 0; i <= last; i++) {
        const begin = (rehearse > 1 ? last - i : i) * chunk;
        run(frame, begin, Math.min(begin + chunk, units), scratch);
      }
    } catch (error) {
      failed({ of: 'trap', message: (error as Error).message });
    }
  }

  #endShared(begun: Begun, words: Words): void {
    const message = trapped(words);
    if (message !== null) begun.failed({ of: 'trap', message });
    this.#end(begun);
  }

  #end({ job: { watched }, failed }: Begun): void {
    if (this.#span.at(this.#options.places.flag, 4).every((byte) => byte === 0)) return;
    const { address, bytes } = watched ?? { address: 0, bytes: 0 };
    failed({ of: 'flag', watched: this.#span.copy(address, bytes) });
  }

  /** Whether the job that ends by itself has ended; else looks again. A timer, so that the process stays alive. */
  #look(): void {
    const [begun, words] = [this.#late, this.#helpers?.words];
    if (!begun || !words) return;
    if (Atomics.load(words, DONE) !== partsOf(words)) {
      setTimeout(() => this.#look(), LOOK);
      return;
    }
    this.#late = undefined;
    this.#endShared(begun, words);
    this.#order.release();
  }

  /** A thread died over a part. It can only be one of a job that ends by itself: for others this thread would not be here. */
  #lost(part: number, reason: string): void {
    const [begun, words] = [this.#late, this.#helpers?.words];
    if (!begun || !words) return;
    if (begun.job.repeatable) perform(words, 0, part, this.#kernels);
    else {
      const message = `a thread ended in the middle of its work (${reason}), which cannot be done twice`;
      begun.failed({ of: 'loss', message });
    }
    finish(words);
  }
}

/** Waits until the job is done; false if nothing was done for long. */
function waitFor(words: Words): boolean {
  let [seen, since] = [-1, 0];
  for (;;) {
    const done = Atomics.load(words, DONE);
    if (done === partsOf(words)) return true;
    const now = performance.now();
    if (done !== seen) [seen, since] = [done, now];
    else if (now - since > PATIENCE) return false;
    if (spin(words, DONE, done, SPIN)) continue;
    Atomics.store(words, WAITING, 1);
    Atomics.wait(words, DONE, done, PATIENCE / 4);
    Atomics.store(words, WAITING, 0);
  }
}
