// Bytes on their way back, and with them whatever went wrong since the last time.

import { BackendError, DisposedError } from '@heed/tensor';
import type { Failures } from './failures.ts';
import { errorOf, FAULT_BYTES, type Faults } from './faults.ts';
import type { Recorder } from './recorder.ts';
import type { Staging } from './staging.ts';
import { MAP_READ } from './usage.ts';

const WORD = 4;

export interface ReaderOptions {
  readonly failures: Failures;
  readonly recorder: Recorder;
  readonly staging: Staging;
  readonly faults: Faults;
}

export class Reader {
  readonly #options: ReaderOptions;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** Waits for what was enqueued. Rejects with the first failure since the last read. */
  async read(buffer: GPUBuffer, byteOffset: number, bytes: number): Promise<Uint8Array<ArrayBuffer>> {
    const { failures, recorder, staging, faults } = this.#options;
    const begin = Math.floor(byteOffset / WORD) * WORD;
    const length = Math.ceil((byteOffset + bytes) / WORD) * WORD - begin;
    const through = staging.take(length + FAULT_BYTES);
    if (length > 0) recorder.copy(buffer, begin, through, 0, length);
    const faulty = faults.collect(recorder, through, length);
    recorder.flush();
    const words = await this.#map(through, length + (faulty ? FAULT_BYTES : 0));
    const fault = faulty ? errorOf(new Int32Array(words, length, FAULT_BYTES / WORD)) : undefined;
    const failure = (await failures.take()) ?? fault;
    if (failure) throw failure;
    return new Uint8Array(words, byteOffset - begin, bytes).slice();
  }

  /** The first bytes of a buffer, once all work before has been done. */
  async #map(through: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
    const { failures, staging } = this.#options;
    try {
      // All of it: a range of no bytes may not be mapped.
      await through.mapAsync(MAP_READ);
      const words = through.getMappedRange(0, bytes).slice(0);
      through.unmap();
      staging.give(through);
      return words;
    } catch (cause) {
      staging.drop(through);
      if (failures.closed)
        throw new DisposedError('webgpu: read: this backend was closed before it came to that.');
      const { message } = cause as Error;
      throw (
        (await failures.suspect()) ??
        (await failures.take()) ??
        new BackendError(`webgpu: read: ${message}`, { cause })
      );
    }
  }
}
