// The plugin.

import { BackendError, type BackendPlugin, ValueError } from '@heed/tensor';
import type { WebGpuBackend } from './backend.ts';

export interface WebGpuOptions {
  /** A device of the caller's, which is never destroyed here. Whatever it was made with is what there is. */
  readonly device?: GPUDevice;
  /** Where to look for devices: `navigator.gpu`, or in Node the package `webgpu`, if left out. */
  readonly gpu?: GPU;
  /** How to choose among adapters; in Node also a part of the adapter's name. The fast one if left out. */
  readonly adapter?: GPURequestAdapterOptions | string;
  /** How much memory tensors may hold at once; beyond it OutOfMemoryError. As much as the device has if left out. */
  readonly bytes?: number;
  /** `false`: no 16-bit arithmetic (`shader-f16`), even where the device has it. */
  readonly half?: boolean;
  /** `false`: no subgroup operations, even where the device has them. */
  readonly subgroups?: boolean;
  /** `false`: no products by matrices of subgroups, even where the device has them (an experiment of Chromium's). */
  readonly matrices?: boolean;
  /** Whether to record what runs, with its times, for `profile()` of the backend. */
  readonly profile?: boolean;
  /** For tests: memory that was never written holds NaN. */
  readonly poison?: boolean;
}

export interface WebGpuPlugin extends BackendPlugin<'webgpu'> {
  open(): Promise<WebGpuBackend>;
}

/**
 * The backend that emits WGSL while it runs, for browsers and, with the package `webgpu`, for Node. Computes in float32.
 *
 * @throws BackendError, when opened, where there is no such device; it says what would provide one.
 */
export function webgpu(options: WebGpuOptions = {}): WebGpuPlugin {
  const { bytes } = options;
  if (bytes !== undefined && !(bytes > 0))
    throw new ValueError(`webgpu: bytes: expected a number above 0, got ${bytes}.`);
  return {
    kind: 'backend',
    name: 'webgpu',
    open: async () => {
      // A bundler makes a file of its own of this, which a page loads when it opens a device.
      const { openEngine } = await import('./engine.ts').catch((cause: unknown) => {
        throw new BackendError(`webgpu: open: its code could not be loaded (${cause}).`, { cause });
      });
      return openEngine(options);
    },
  };
}
