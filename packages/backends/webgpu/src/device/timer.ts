// How long each dispatch took, by the device's own clock.

import { COPY_DST, COPY_SRC, MAP_READ, QUERY_RESOLVE } from './usage.ts';

/** Where a time goes once it is known. */
export interface Timed {
  nanoseconds: number | null;
}

interface Sheet {
  readonly queries: GPUQuerySet;
  readonly resolved: GPUBuffer;
  readonly readable: GPUBuffer;
  readonly entries: Timed[];
}

const BYTES = 8;

export class Timer {
  readonly #device: GPUDevice;
  readonly #most: number;
  readonly #spare: Sheet[] = [];
  readonly #reading = new Set<Promise<void>>();
  #sheet: Sheet | undefined;

  /** @param most dispatches of one submission. */
  constructor(device: GPUDevice, most: number) {
    this.#device = device;
    this.#most = most;
  }

  /** Where a pass of one dispatch writes its times. */
  next(entry: Timed): GPUComputePassTimestampWrites {
    this.#sheet ??= this.#spare.pop() ?? this.#make();
    const { queries, entries } = this.#sheet;
    const at = 2 * (entries.push(entry) - 1);
    return { querySet: queries, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 };
  }

  /** Records that the times of this submission are to be kept. */
  resolve(encoder: GPUCommandEncoder): void {
    if (!this.#sheet) return;
    const { queries, resolved, readable, entries } = this.#sheet;
    encoder.resolveQuerySet(queries, 0, 2 * entries.length, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, readable, 0, 2 * entries.length * BYTES);
  }

  submitted(): void {
    const sheet = this.#sheet;
    if (!sheet) return;
    this.#sheet = undefined;
    // A device that is lost keeps its times.
    const reading = this.#read(sheet).catch(() => {});
    this.#reading.add(reading);
    reading.finally(() => this.#reading.delete(reading));
  }

  /** Waits until all times of what was submitted are known. */
  async settled(): Promise<void> {
    await Promise.all(this.#reading);
  }

  async #read(sheet: Sheet): Promise<void> {
    const { readable, entries } = sheet;
    await readable.mapAsync(MAP_READ);
    const times = new BigUint64Array(readable.getMappedRange(0, 2 * entries.length * BYTES));
    for (const [i, entry] of entries.entries()) {
      const [begin, end] = [times[2 * i] as bigint, times[2 * i + 1] as bigint];
      // Clocks that are set back between two passes give nothing.
      entry.nanoseconds = end >= begin ? Number(end - begin) : null;
    }
    readable.unmap();
    entries.length = 0;
    this.#spare.push(sheet);
  }

  #make(): Sheet {
    const size = 2 * this.#most * BYTES;
    return {
      queries: this.#device.createQuerySet({ type: 'timestamp', count: 2 * this.#most }),
      resolved: this.#device.createBuffer({ size, usage: QUERY_RESOLVE | COPY_SRC }),
      readable: this.#device.createBuffer({ size, usage: MAP_READ | COPY_DST }),
      entries: [],
    };
  }
}
