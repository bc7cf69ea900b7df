// What is loaded when a device opens: everything that emits and launches.

import { WebGpuBackend } from './backend.ts';
import { findDevice } from './find.ts';
import { machineOf } from './machine.ts';
import { withUsefulMatrices } from './matrices.ts';
import type { WebGpuOptions } from './open.ts';

/** @throws BackendError where there is no such device. */
export async function openEngine(options: WebGpuOptions): Promise<WebGpuBackend> {
  const { bytes = Number.MAX_SAFE_INTEGER, poison = false, profile = false } = options;
  const { half = true, subgroups = true, matrices = true } = options;
  const found = await findDevice(options);
  const { device } = found;
  const machine = await withUsefulMatrices(device, machineOf(found, { half, subgroups, matrices }));
  return new WebGpuBackend({ device, machine, bytes, poison, profile, owned: !options.device });
}
