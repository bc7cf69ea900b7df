// Buffers through which results come back.

import type { Failures } from './failures.ts';
import { sizeClass } from './size-class.ts';
import { COPY_DST, MAP_READ } from './usage.ts';

/** Bytes that are kept for the next read. */
const KEPT = 2 ** 24;

export class Staging {
  readonly #device: GPUDevice;
  readonly #failures: Failures;
  readonly #spare: GPUBuffer[] = [];
  readonly #taken = new Set<GPUBuffer>();

  constructor(device: GPUDevice, failures: Failures) {
    this.#device = device;
    this.#failures = failures;
  }

  /** A buffer of at least so many bytes, to be mapped. */
  take(bytes: number): GPUBuffer {
    const at = this.#spare.findIndex(({ size }) => size >= bytes);
    const [found] = at < 0 ? [] : this.#spare.splice(at, 1);
    const size = sizeClass(bytes, this.#device.limits.maxBufferSize);
    const buffer =
      found ??
      this.#failures.watch(`read: a buffer of ${size} bytes could not be had to read through`, () =>
        this.#device.createBuffer({ label: 'staging', size, usage: MAP_READ | COPY_DST }),
      );
    this.#taken.add(buffer);
    return buffer;
  }

  /** Takes a buffer back, unmapped. */
  give(buffer: GPUBuffer): void {
    if (!this.#taken.delete(buffer)) return;
    const kept = this.#spare.reduce((sum, { size }) => sum + size, buffer.size);
    if (kept > KEPT) buffer.destroy();
    else this.#spare.push(buffer);
  }

  /** Ends a buffer that could not be mapped. */
  drop(buffer: GPUBuffer): void {
    if (this.#taken.delete(buffer)) buffer.destroy();
  }

  /** Destroys all; reads that wait are rejected. */
  close(): void {
    for (const buffer of [...this.#spare, ...this.#taken]) buffer.destroy();
    this.#taken.clear();
    this.#spare.length = 0;
  }
}
