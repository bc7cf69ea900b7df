// The GPU of a process that is measured: Dawn's, at navigator.gpu, where heed and its peers look for one as in a page.

import { create, globals } from 'webgpu';
import { Meter } from './meter.ts';

/** The part of an adapter's name that was asked for; the first adapter if there is none. */
export const ADAPTER = 'HEED_BENCH_ADAPTER';

// Dawn ends the process if what create() gave is collected while a device lives.
let held: { readonly gpu: GPU; readonly meter: Meter } | undefined;

/** Once for the process. */
export function provideGpu(): { readonly gpu: GPU; readonly meter: Meter } {
  if (held) return held;
  const name = process.env[ADAPTER];
  const gpu = create(name ? [`adapter=${name}`] : []);
  const meter = new Meter();
  meter.watch(gpu);
  held = { gpu, meter };
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis.navigator, 'gpu', { value: gpu, configurable: true });
  return held;
}
