// The words by which threads agree on who does what. They lie in a shared buffer of their own, beside the memory.
//
// A job is described, then its ticket is opened. The ticket is the job's number and the next part that nobody has taken,
// in one word: who takes a part raises it by compareExchange, which succeeds only while the job is still this one. So a
// thread that comes late cannot touch the next job, and nobody waits for a thread that took nothing. The description is
// read after a part was taken: as long as that part is not done the job cannot end, and the words cannot change.

import type { Kernels } from './kernels.ts';

/** The ticket: 22 bits of the job's number, 10 bits of the next part. */
const PART_BITS = 10;
/** In place of a part: nothing may be taken. More than any job has. */
const CLOSED = (1 << PART_BITS) - 1;

/** Indices of words. Those that change often have a cache line (16 words) each. */
const TICKET = 0;
/** Raised with each job; idle threads watch it. */
export const NEWS = 16;
/** How many parts are done. */
export const DONE = 32;
/** How many threads sleep, and must be woken. */
const SLEEPERS = 48;
/** 1 while whoever began the job sleeps until it is done. */
export const WAITING = 64;
/** Not 0 once a kernel has trapped in this job; then the message's length, and the message. */
const TRAP = 80;
const TRAP_LENGTH = 81;
const TRAP_TEXT = 128;
const TRAP_WORDS = 128;
/** The job. */
const KERNEL = 96;
const CODE = 97;
const LENGTH = 98;
const FRAME = 99;
const UNITS = 100;
const CHUNK = 101;
const CHUNKS = 102;
const SCRATCH = 103;
const STRIDE = 104;
/** For each thread: the part that it works on and 1, and whether it is there. */
const THREADS = 256;
const claimOf = (thread: number): number => THREADS + 16 * thread;
const stateOf = (thread: number): number => THREADS + 16 * thread + 1;

/** A thread is not there (yet), is awake, or sleeps. */
const ABSENT = 0;
const AWAKE = 1;
const ASLEEP = 2;

export type Words = Int32Array<SharedArrayBuffer>;

export const wordsFor = (threads: number): Words =>
  new Int32Array(new SharedArrayBuffer(4 * (THREADS + 16 * threads)));

/** A job as the words hold it. */
export interface Posted {
  readonly kernel: number;
  readonly code: number;
  readonly length: number;
  readonly frame: number;
  readonly units: number;
  readonly chunk: number;
  readonly chunks: number;
  readonly scratch: number;
  readonly stride: number;
}

/** Begins a job. The one before it must be done. */
export function post(words: Words, job: Posted): void {
  const number = ((Atomics.load(words, TICKET) >>> PART_BITS) + 1) << PART_BITS;
  Atomics.store(words, TICKET, number | CLOSED);
  words[KERNEL] = job.kernel;
  words[CODE] = job.code;
  words[LENGTH] = job.length;
  words[FRAME] = job.frame;
  words[UNITS] = job.units;
  words[CHUNK] = job.chunk;
  Atomics.store(words, CHUNKS, job.chunks);
  words[SCRATCH] = job.scratch;
  words[STRIDE] = job.stride;
  words[TRAP] = 0;
  Atomics.store(words, DONE, 0);
  Atomics.store(words, TICKET, number);
  Atomics.add(words, NEWS, 1);
  if (Atomics.load(words, SLEEPERS) > 0) Atomics.notify(words, NEWS, job.chunks - 1);
}

/** Whether all threads that are there would notice a job at once. */
export const awake = (words: Words): boolean => Atomics.load(words, SLEEPERS) === 0;

/** Takes the next part; -1 where there is none. */
function take(words: Words): number {
  for (;;) {
    const ticket = Atomics.load(words, TICKET);
    const part = ticket & CLOSED;
    if (part >= Atomics.load(words, CHUNKS)) return -1;
    if (Atomics.compareExchange(words, TICKET, ticket, ticket + 1) === ticket) return part;
  }
}

/** Does parts of the job until nobody has any left to take. */
export function work(words: Words, thread: number, kernels: Kernels): void {
  for (let part = take(words); part >= 0; part = take(words)) {
    Atomics.store(words, claimOf(thread), part + 1);
    perform(words, thread, part, kernels);
    Atomics.store(words, claimOf(thread), 0);
    finish(words);
  }
}

/** Does one part; what the kernel throws is kept for whoever began the job. */
export function perform(words: Words, thread: number, part: number, kernels: Kernels): void {
  const word = (at: number): number => words[at] as number;
  try {
    const begin = part * word(CHUNK);
    const run = kernels.get(word(KERNEL), word(CODE), word(LENGTH));
    run(
      word(FRAME),
      begin,
      Math.min(begin + word(CHUNK), word(UNITS)),
      word(SCRATCH) + thread * word(STRIDE),
    );
  } catch (error) {
    trap(words, error);
  }
}

/** One part is done. The last one wakes whoever began the job. */
export function finish(words: Words): void {
  const chunks = Atomics.load(words, CHUNKS);
  if (Atomics.add(words, DONE, 1) + 1 === chunks && Atomics.load(words, WAITING) === 1)
    Atomics.notify(words, DONE);
}

function trap(words: Words, error: unknown): void {
  if (Atomics.compareExchange(words, TRAP, 0, 1) !== 0) return;
  const text = String((error as Error)?.message ?? error).slice(0, TRAP_WORDS);
  for (let i = 0; i < text.length; i++) words[TRAP_TEXT + i] = text.charCodeAt(i);
  words[TRAP_LENGTH] = text.length;
}

/** What the first kernel that trapped in this job said; null where none did. Only when all parts are done. */
export function trapped(words: Words): string | null {
  if (words[TRAP] === 0) return null;
  const codes = words.subarray(TRAP_TEXT, TRAP_TEXT + (words[TRAP_LENGTH] as number));
  return String.fromCharCode(...codes);
}

/** A thread is there. */
export function arrive(words: Words, thread: number): void {
  Atomics.store(words, stateOf(thread), AWAKE);
}

export const present = (words: Words, thread: number): boolean =>
  Atomics.load(words, stateOf(thread)) !== ABSENT;

/** Sleeps until there is a job after the given news. */
export function sleep(words: Words, thread: number, news: number): void {
  Atomics.store(words, stateOf(thread), ASLEEP);
  Atomics.add(words, SLEEPERS, 1);
  Atomics.wait(words, NEWS, news);
  Atomics.sub(words, SLEEPERS, 1);
  Atomics.store(words, stateOf(thread), AWAKE);
}

/** Clears up after a thread that has ended; says which part it was in the middle of, -1 for none. */
export function bury(words: Words, thread: number): number {
  if (Atomics.exchange(words, stateOf(thread), ABSENT) === ASLEEP) Atomics.sub(words, SLEEPERS, 1);
  return Atomics.exchange(words, claimOf(thread), 0) - 1;
}

/** How many parts the job has. */
export const partsOf = (words: Words): number => Atomics.load(words, CHUNKS);
