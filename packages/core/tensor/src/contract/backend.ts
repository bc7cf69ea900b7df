// The contract between heed and a device. A new backend implements this, and eight kinds of program.

import type { DType } from './dtype.ts';
import type { Program } from './program.ts';

/** A piece of a backend's memory. Only the backend that made it knows what is inside. */
export interface Allocation {
  readonly bytes: number;
}

/** A strided look at an allocation; offset and strides count elements. A stride of zero repeats. */
export interface View {
  readonly allocation: Allocation;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
}

/** A program made ready. */
export interface Kernel {
  readonly program: Program;
  /** What runs, in the backend's own language, for people to read. */
  readonly source: string;
  /** What was chosen and why: templates, tiles, fallbacks. For `explain()`. */
  readonly notes: readonly string[];
}

/** What changes from call to call. */
export interface Call {
  readonly inputs: Readonly<Record<string, View>>;
  /**
   * Results by name. None overlaps an input, another result or itself: a stride of zero is for reading. The `out` of
   * scatter-add is added to, all others are overwritten.
   */
  readonly outputs: Readonly<Record<string, View>>;
  readonly uniforms: Readonly<Record<string, number>>;
  /** The lengths of an attention's axes; empty for other programs, whose views say all. */
  readonly sizes: Readonly<Record<string, number>>;
}

export interface Limits {
  readonly dtypes: readonly DType[];
  /** The largest allocation, in bytes. */
  readonly allocationBytes: number;
}

/** Why a program cannot run here, as the user will read it. */
export interface Unsupported {
  readonly reason: string;
}

/**
 * A device that runs programs. `run` enqueues: work happens in the order it was enqueued, and only `read` waits for it.
 * Memory is zeroed by nobody: what `allocate` gives may hold anything, and no result may depend on it.
 */
export interface Backend {
  readonly name: string;
  readonly limits: Limits;
  supports(program: Program): true | Unsupported;
  /** Equal programs (by `printProgram`) may share a kernel. */
  compile(program: Program): Kernel;
  /** @throws OutOfMemoryError, after which everything is as usable as before. */
  allocate(bytes: number): Allocation;
  write(to: Allocation, bytes: Uint8Array, byteOffset?: number): void;
  run(kernel: Kernel, call: Call): void;
  /** Waits for what was enqueued. Rejects with the first fault since the last read (an index out of range, a lost device). */
  read(from: Allocation, byteOffset: number, bytes: number): Promise<Uint8Array<ArrayBuffer>>;
  free(allocation: Allocation): void;
  /** Frees everything and ends what the backend started. */
  close(): Promise<void>;
}

/** A way to open a backend. Finding a device is asynchronous; everything after it is not, but for reading. */
export interface BackendPlugin<Name extends string = string> {
  readonly kind: 'backend';
  readonly name: Name;
  /** @throws BackendError that says why there is no such device here and what would provide one. */
  open(): Promise<Backend>;
}
