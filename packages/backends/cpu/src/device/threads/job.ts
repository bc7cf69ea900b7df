// A job: the units [0, units) of one kernel, as plain numbers that threads can share.

/** A kernel that a crew has loaded, and where the others find its module. */
export interface Loaded {
  readonly id: number;
  /** Where the bytes of its module lie in the memory; 0 where no other thread will ask. */
  readonly code: number;
  readonly length: number;
}

/** The export of every kernel: does the units [begin, end) of the call that a frame describes. */
export type Run = (frame: number, begin: number, end: number, scratch: number) => void;

/** A piece of the memory. */
export interface Piece {
  readonly address: number;
  readonly bytes: number;
}

/**
 * What a crew needs to know of a kernel's call.
 *
 * The interface to kernels: a plan says how many units a call has, and a unit's result must not depend on who does it,
 * when, or together with which others. Then results are the same bits however the units are shared out. Where sums run
 * across units (a gradient, split keys), the plan fixes the parts by the number of threads, each unit writes a part of its
 * own, and a second job adds them up in their order: a job begins when the one before it has ended.
 */
export interface Job {
  readonly kernel: Loaded;
  /** The words of the call's frame. */
  readonly frame: Int32Array<ArrayBuffer>;
  readonly units: number;
  /** About how many elements a unit touches. */
  readonly weight: number;
  /** Where the scratch memory of the first thread begins, and how far from there the next thread's is. */
  readonly scratch: number;
  readonly stride: number;
  /** Whether doing a part twice gives what doing it once does. Not so where a result is added to. */
  readonly repeatable: boolean;
  /** What to keep as it was if the kernel raises its flag. */
  readonly watched: Piece | null;
}

/** What can go wrong in a job that was accepted. */
export type Failure =
  /** The kernel raised its flag; `watched` is what the job wanted kept. */
  | { readonly of: 'flag'; readonly watched: Uint8Array<ArrayBuffer> }
  /** The kernel stopped: WebAssembly trapped, or a module could not be made. */
  | { readonly of: 'trap'; readonly message: string }
  /** A thread ended in the middle of a part that cannot be done again. */
  | { readonly of: 'loss'; readonly message: string };

export interface Part {
  /** Units that a thread takes at once. */
  readonly chunk: number;
  readonly chunks: number;
}

/** The most parts that a job may have: a ticket counts them in 10 bits. */
const MOST = 1000;
/** Parts for each thread: at the end none waits longer for another than one of them takes. */
const SHARES = 32;
/** Elements that a part has at least: a few microseconds, against which taking it is nothing. */
const GRAIN = 2 ** 15;
/**
 * Elements of a part where one thread does all. Not all at once: an engine that finishes compiling in the meantime can
 * change to the better code only between two calls.
 */
const STRETCH = 2 ** 18;

/** How a job is cut; by its size and the number of threads alone, so always in the same way. */
export function cut({ units, weight }: Pick<Job, 'units' | 'weight'>, threads: number): Part {
  const [grain, shares] = threads === 1 ? [STRETCH, 1] : [GRAIN, threads * SHARES];
  const enough = Math.ceil(grain / Math.max(1, weight));
  const fair = threads === 1 ? 1 : Math.ceil(units / shares);
  const chunk = Math.max(1, Math.min(units, Math.max(enough, fair, Math.ceil(units / MOST))));
  return { chunk, chunks: Math.ceil(units / chunk) };
}
