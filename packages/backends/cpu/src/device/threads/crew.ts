// Who does the work and touches the memory: one face, whether that is this thread, many, or others alone.

import type { Failure, Job, Loaded } from './job.ts';

/**
 * What touches the contents of the memory. All of it happens in the order in which it was asked for, and only `read`
 * waits. So memory may be given out anew at once when it is freed: whatever is still to happen to it happens before.
 */
export interface Crew {
  readonly threads: number;
  /** How work is shared and why not otherwise, for people. */
  readonly notes: readonly string[];
  /** Makes a kernel known. @param place gives memory for as many bytes. */
  load(bytes: Uint8Array<ArrayBuffer>, place: (bytes: number) => number): Loaded;
  write(address: number, bytes: Uint8Array): void;
  fill(address: number, bytes: number, value: number): void;
  /** @param failed hears what went wrong, before a later `read` ends. */
  run(job: Job, failed: (failure: Failure) => void): void;
  read(address: number, bytes: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Ends the threads. What was not read is lost: it rejects with the reason. */
  close(reason: Error): Promise<void>;
}

/** Where in the memory a job's frame and a kernel's flag lie. */
export interface Places {
  readonly frame: number;
  readonly flag: number;
}

/** Makes the crew of a memory. */
export type Recruit = (memory: WebAssembly.Memory, places: Places) => Crew;
