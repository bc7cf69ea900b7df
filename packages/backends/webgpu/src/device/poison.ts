// Memory made to show: NaN as a float of any width, -1 as an int.

import type { Recorder } from './recorder.ts';
import { COPY_DST, COPY_SRC } from './usage.ts';

const BYTES = 2 ** 20;

export class Poison {
  readonly #source: GPUBuffer;

  constructor(device: GPUDevice) {
    this.#source = device.createBuffer({ label: 'poison', size: BYTES, usage: COPY_SRC | COPY_DST });
    device.queue.writeBuffer(this.#source, 0, new Uint8Array(BYTES).fill(0xff));
  }

  /** Fills a buffer, in its turn. */
  fill(recorder: Recorder, buffer: GPUBuffer): void {
    for (let at = 0; at < buffer.size; at += BYTES)
      recorder.copy(this.#source, 0, buffer, at, Math.min(BYTES, buffer.size - at));
  }

  close(): void {
    this.#source.destroy();
  }
}
