// The plugin: what the CPU backend is opened with. The rest is loaded when it is opened.

import { BackendError, type BackendPlugin } from '@heed/tensor';

export interface CpuOptions {
  /** How much memory tensors may hold at once; all that WebAssembly can address, 4 GiB, if left out. */
  readonly bytes?: number;
  /**
   * Whether products and sums may be one instruction, rounded once where the processor can (true if left out). Without it
   * every machine computes the same bits, about a fifth slower.
   */
  readonly relaxed?: boolean;
  /**
   * How many threads work, this one among them: as many as the hardware runs at once, at most 16, if left out. Where there
   * can be no others it is one; `explain()` says why. Results are the same bits for a given number.
   */
  readonly threads?: number;
  /**
   * Whether kernels are compiled for vectors of 256 bits, about twice as fast: an experiment of V8, in Node 24 and later. A
   * trial at the start decides; where it fails kernels are plain, and `explain()` says why.
   */
  readonly turbo?: boolean;
  /** For tests: memory that was never written holds NaN, and emitted code is checked operand by operand. */
  readonly poison?: boolean;
}

/**
 * The backend that emits WebAssembly SIMD while it runs: no native addon, no file to host. Computes in float32.
 *
 * @throws BackendError, when opened, where WebAssembly or its 128-bit vectors are missing or forbidden.
 */
export const cpu = (options: CpuOptions = {}): BackendPlugin<'cpu'> => ({
  kind: 'backend',
  name: 'cpu',
  open: async () => {
    // A bundler makes a file of its own of this, which a page loads when it opens a device.
    const { openEngine } = await import('./engine.ts').catch((cause: unknown) => {
      throw new BackendError(`cpu: open: its code could not be loaded (${cause}).`, { cause });
    });
    return openEngine(options);
  },
});
