// What goes wrong on the device is known later, and never where it was caused: it is kept for the next read.

import { BackendError, type HeedError, OutOfMemoryError } from '@heed/tensor';

/** What a failed action says for itself: the reasons of a compiler, how much memory was held. */
export type Explain = (error: GPUError) => string | Promise<string>;

const filters = ['validation', 'internal', 'out-of-memory'] as const;

export class Failures {
  readonly #device: GPUDevice;
  readonly #outstanding = new Set<Promise<void>>();
  /** The failure that was caused first, though its reasons may have come last. */
  #first: { readonly order: number; readonly error: HeedError } | undefined;
  #order = 0;
  #lost: BackendError | undefined;
  #closed = false;

  constructor(device: GPUDevice) {
    this.#device = device;
    device.lost.then(({ reason, message }) => {
      if (this.#closed) return;
      const why = [reason, message].filter((part) => part).join(': ') || 'unknown';
      this.#lost = new BackendError(
        `webgpu: the device was lost (${why}), and all its tensors with it. Open another one with ` +
          'openDevice(webgpu(...)), and make them again from what was kept outside.',
      );
    });
  }

  /** The error of a device that is lost. */
  get lost(): BackendError | undefined {
    return this.#lost;
  }

  /** Whether the backend was closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Does something to the device; what it complains about is reported. @param what "map: the shader ..." */
  watch<T>(what: string, act: () => T, explain?: Explain): T {
    for (const filter of filters) this.#device.pushErrorScope(filter);
    try {
      return act();
    } finally {
      const order = this.#order++;
      for (const filter of filters.toReversed()) this.#await(order, filter, what, explain);
    }
  }

  /** Does something whose failure the caller learns in another way. */
  quietly<T>(act: () => T): T {
    for (const filter of filters) this.#device.pushErrorScope(filter);
    try {
      return act();
    } finally {
      for (const _ of filters) this.#device.popErrorScope().catch(() => {});
    }
  }

  /** Keeps an error for the next read, unless there is one with an earlier cause. */
  report(error: HeedError, order = this.#order++): void {
    if (!this.#first || order < this.#first.order) this.#first = { order, error };
  }

  /** Waits until everything done so far has been judged; gives the first error since the last time. */
  async take(): Promise<HeedError | undefined> {
    while (this.#outstanding.size > 0) await Promise.all(this.#outstanding);
    const first = this.#lost ?? this.#first?.error;
    this.#first = undefined;
    return first;
  }

  /** Waits for the device to say that it is lost; undefined if it does not, soon. */
  async suspect(): Promise<BackendError | undefined> {
    await Promise.race([this.#device.lost, new Promise((done) => setTimeout(done, 200))]);
    return this.#lost;
  }

  /** From now on the end of the device is as it should be. */
  close(): void {
    this.#closed = true;
  }

  #await(order: number, filter: GPUErrorFilter, what: string, explain: Explain | undefined): void {
    // A device that is lost rejects: its loss is told otherwise.
    const judged = this.#device.popErrorScope().then(
      async (error) => {
        if (!error || this.#closed) return;
        const reasons = explain ? await explain(error) : error.message;
        const Type = filter === 'out-of-memory' ? OutOfMemoryError : BackendError;
        this.report(new Type(`webgpu: ${what}: ${reasons}`), order);
      },
      () => {},
    );
    this.#outstanding.add(judged);
    judged.finally(() => this.#outstanding.delete(judged));
  }
}
