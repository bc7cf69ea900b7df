// Faults that shaders find while they run, such as an index outside its axis. The first one is kept in a small buffer, which
// travels with the next read. Its words are written by `raiseFault` of emit/fault.ts.

import { BackendError, type HeedError, ValueError } from '@heed/tensor';
import { faultKinds, WORDS } from '../emit/fault.ts';
import type { Recorder } from './recorder.ts';
import { COPY_DST, COPY_SRC, STORAGE } from './usage.ts';

export const FAULT_BYTES = WORDS * 4;

export class Faults {
  readonly #device: GPUDevice;
  #buffer: GPUBuffer | undefined;
  #possible = false;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** The buffer, for a shader that may find a fault. */
  buffer(): GPUBuffer {
    this.#possible = true;
    this.#buffer ??= this.#make();
    return this.#buffer;
  }

  /** Copies what was found so far, and forgets it; false where no shader can have found anything. */
  collect(recorder: Recorder, into: GPUBuffer, at: number): boolean {
    if (!this.#possible || !this.#buffer) return false;
    recorder.copy(this.#buffer, 0, into, at, FAULT_BYTES);
    recorder.clear(this.#buffer);
    this.#possible = false;
    return true;
  }

  close(): void {
    this.#buffer?.destroy();
  }

  #make(): GPUBuffer {
    const usage = STORAGE | COPY_SRC | COPY_DST;
    const buffer = this.#device.createBuffer({ label: 'fault', size: FAULT_BYTES, usage });
    // Devices for tests that execute nothing zero no memory either.
    this.#device.queue.writeBuffer(buffer, 0, new Uint8Array(FAULT_BYTES));
    return buffer;
  }
}

/** What the words of a fault mean; undefined where there was none. */
export function errorOf([code, index, size, element]: Int32Array): HeedError | undefined {
  if (code === 0) return undefined;
  const kind = Object.entries(faultKinds).find(([, known]) => known === code)?.[0];
  if (!kind) return new BackendError(`webgpu: a shader raised a fault of an unknown kind, ${code}.`);
  return new ValueError(
    `${kind}: expected an index in [0, ${size}), got ${index} as element ${element} of index.`,
  );
}
