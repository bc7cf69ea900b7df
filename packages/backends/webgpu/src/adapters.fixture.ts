// For tests: the software devices that shaders are run on. scripts/adapters.mjs provides them, vitest.config.ts names them.

import { existsSync } from 'node:fs';
import { create } from 'webgpu';
import { WebGpuBackend } from './device/backend.ts';
import { findDevice } from './device/find.ts';
import { machineOf } from './device/machine.ts';
import type { WebGpuOptions } from './device/open.ts';
import type { Machine } from './emit/machine.ts';

// Collecting what create() gave, while anything made from it lives, ends the process.
const instances = new Map<string, GPU>();

function instance(...flags: readonly string[]): GPU {
  const key = flags.join(' ');
  const gpu = instances.get(key) ?? create([...flags]);
  instances.set(key, gpu);
  return gpu;
}

/** An instance that finds one driver only. @throws Error where it is missing: a test that cannot run has failed. */
function driven(adapter: string, manifest: RegExp): WebGpuOptions {
  const files = (process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES ?? '').split(':');
  if (files.some((file) => manifest.test(file) && existsSync(file)))
    // Zeroing workgroup memory is most of what compiling takes on these; no shader may rely on it.
    return { gpu: instance(`adapter=${adapter}`, 'enable-dawn-features=disable_workgroup_init') };
  throw new Error(
    `${adapter} is missing: no manifest like ${manifest} in VK_DRIVER_FILES. \`node scripts/adapters.mjs\` provides it, from ` +
      "Debian's packages chromium and mesa-vulkan-drivers.",
  );
}

/** Executes; subgroups of 4, no 16-bit floats, 256 invocations. Options for `webgpu(...)`. */
export const swiftshader = (): WebGpuOptions => driven('SwiftShader', /swiftshader/);

/** Executes, several times as fast; subgroups of 8, 16-bit floats, bindings of at most 128 MiB. Options for `webgpu(...)`. */
export const lavapipe = (): WebGpuOptions => driven('llvmpipe', /lvp|lavapipe/);

/** Executes nothing, but compiles every shader and checks every call; claims every feature, with the least limits. */
export const nullDevice = (): WebGpuOptions => ({
  gpu: instance('backend=null', 'enable-dawn-features=allow_unsafe_apis'),
});

/** What shaders can be executed on, by name: for `describe.each`. */
export const adapters: readonly (readonly [name: string, options: () => WebGpuOptions])[] = [
  ['SwiftShader', swiftshader],
  ['lavapipe', lavapipe],
];

/**
 * A backend with poisoned memory on one of the above. It stays open until the test file ends.
 *
 * @param machine what emission is told instead of what the device says: `least` for the specification's own limits.
 */
export async function openOn(options: WebGpuOptions, machine: Partial<Machine> = {}): Promise<WebGpuBackend> {
  const {
    half = true,
    subgroups = true,
    matrices = true,
    bytes = 2 ** 31,
    profile = false,
    poison = true,
  } = options;
  const found = await findDevice(options);
  const { device } = found;
  const owned = !options.device;
  return new WebGpuBackend({
    device,
    machine: { ...machineOf(found, { half, subgroups, matrices }), ...machine },
    bytes,
    poison,
    profile,
    owned,
  });
}
