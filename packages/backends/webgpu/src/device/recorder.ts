// Work on its way to the device: dispatches and copies in order, submitted together.

import type { Failures } from './failures.ts';
import type { Timed, Timer } from './timer.ts';

/** One dispatch, with everything that it needs. */
export interface Launch {
  /** Names the program, for messages and profiles. */
  readonly label: string;
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  /** Where its arguments lie in the uniform buffer of the bind group, in bytes. */
  readonly argumentsAt: number;
  readonly x: number;
  readonly y: number;
  /** All buffers that it reads or writes. */
  readonly touches: readonly GPUBuffer[];
  /** Takes the time that it needs, where there is a timer. */
  readonly timed: Timed;
}

export interface RecorderOptions {
  readonly device: GPUDevice;
  readonly failures: Failures;
  /** Dispatches of one submission, at most. */
  readonly batch: number;
  readonly timer: Timer | null;
  /** Right before a submission: what must be on the device then, such as arguments. */
  readonly before: () => void;
  /** Right after one. */
  readonly after: () => void;
}

export class Recorder {
  readonly #options: RecorderOptions;
  readonly #touched = new Set<GPUBuffer>();
  readonly #labels = new Set<string>();
  #encoder: GPUCommandEncoder | null = null;
  #pass: GPUComputePassEncoder | null = null;
  #dispatches = 0;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /** Whether work that was not submitted yet reads or writes a buffer. */
  touches(buffer: GPUBuffer): boolean {
    return this.#touched.has(buffer);
  }

  dispatch({ label, pipeline, bindGroup, argumentsAt, x, y, touches, timed }: Launch): void {
    const { timer, batch } = this.#options;
    const pass = timer ? this.#timedPass(timer, timed) : this.#openPass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup, [argumentsAt]);
    pass.dispatchWorkgroups(x, y);
    if (timer) this.#endPass();
    for (const buffer of touches) this.#touched.add(buffer);
    this.#labels.add(label);
    if (++this.#dispatches >= batch) this.flush();
  }

  /** Copies bytes; offsets and the count are multiples of 4, and the buffers are two. */
  copy(from: GPUBuffer, fromOffset: number, to: GPUBuffer, toOffset: number, bytes: number): void {
    this.#commands().copyBufferToBuffer(from, fromOffset, to, toOffset, bytes);
    this.#touched.add(from).add(to);
  }

  /** Fills a buffer with zeros. */
  clear(buffer: GPUBuffer): void {
    this.#commands().clearBuffer(buffer);
    this.#touched.add(buffer);
  }

  /** Submits what has been recorded, if anything has. */
  flush(): void {
    if (!this.#encoder) return;
    const { device, failures, timer, before, after } = this.#options;
    const encoder = this.#commands();
    this.#encoder = null;
    timer?.resolve(encoder);
    before();
    const labels = [...this.#labels].slice(0, 8).join(', ') || 'a copy';
    failures.watch(`the device refused work (${labels})`, () => device.queue.submit([encoder.finish()]));
    this.#touched.clear();
    this.#labels.clear();
    this.#dispatches = 0;
    timer?.submitted();
    after();
  }

  #commands(): GPUCommandEncoder {
    this.#endPass();
    this.#encoder ??= this.#options.device.createCommandEncoder();
    return this.#encoder;
  }

  #openPass(): GPUComputePassEncoder {
    this.#encoder ??= this.#options.device.createCommandEncoder();
    this.#pass ??= this.#encoder.beginComputePass();
    return this.#pass;
  }

  #timedPass(timer: Timer, timed: Timed): GPUComputePassEncoder {
    this.#pass = this.#commands().beginComputePass({ timestampWrites: timer.next(timed) });
    return this.#pass;
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = null;
  }
}
