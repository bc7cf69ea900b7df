// Finding a device: in a browser, in Node, or the one that was given.

import { BackendError } from '@heed/tensor';
import { MATRIX, usefulFeatures, usefulLimits } from './machine.ts';
import type { WebGpuOptions } from './open.ts';

/** A device, and what its adapter says of itself: in Node's implementation the device does not say all of it. */
export interface Found {
  readonly device: GPUDevice;
  readonly info: GPUAdapterInfo;
}

/** The device that was given, or one of its own. @throws BackendError that says what would provide one. */
export async function findDevice(options: WebGpuOptions): Promise<Found> {
  if (options.device) return { device: options.device, info: options.device.adapterInfo };
  const gpu = options.gpu ?? (await findGpu(options.adapter));
  held.add(gpu);
  const wishes = typeof options.adapter === 'object' ? options.adapter : {};
  let cause: unknown;
  const adapter = await gpu
    .requestAdapter({ powerPreference: 'high-performance', ...wishes })
    .catch((error) => {
      cause = error;
      return null;
    });
  if (!adapter) throw new BackendError(`webgpu: open: ${absent(cause)}`, { cause });
  const { half = true, subgroups = true, matrices = true } = options;
  const unwanted = [
    ...(half ? [] : ['shader-f16']),
    ...(subgroups ? [] : ['subgroups']),
    ...(matrices && half && subgroups ? [] : [MATRIX]),
  ];
  const requiredFeatures = usefulFeatures.filter(
    (feature) => adapter.features.has(feature) && !unwanted.includes(feature),
  );
  const requiredLimits = Object.fromEntries(usefulLimits.map((name) => [name, adapter.limits[name]]));
  const asked = adapter.requestDevice({ label: 'heed', requiredFeatures, requiredLimits });
  const device = await asked.catch((error: Error) => {
    throw new BackendError(`webgpu: open: the adapter gave no device: ${error.message}`, { cause: error });
  });
  return { device, info: adapter.info };
}

/** Node's implementation ends the process if what it was made with is collected while a device lives. */
const held = new Set<GPU>();
const instances = new Map<string, GPU>();

const inNode = (): boolean => {
  const { process } = globalThis as { process?: { versions?: { node?: string } } };
  return process?.versions?.node !== undefined;
};

async function findGpu(adapter: WebGpuOptions['adapter']): Promise<GPU> {
  const { navigator } = globalThis as { navigator?: { gpu?: GPU } };
  const named = typeof adapter === 'string';
  if (navigator?.gpu && !named) return navigator.gpu;
  if (!inNode()) {
    throw new BackendError(
      named
        ? `webgpu: open: an adapter can be chosen by its name ("${adapter}") in Node only. Give GPURequestAdapterOptions.`
        : `webgpu: open: there is no navigator.gpu here. ${browsers} Or use cpu() of @heed/cpu.`,
    );
  }
  const flags = named ? [`adapter=${adapter}`] : [];
  const known = instances.get(flags.join());
  if (known) return known;
  const made = (await load()).create(flags);
  instances.set(flags.join(), made);
  return made;
}

async function load(): Promise<{ create(flags: readonly string[]): GPU }> {
  // Not written out, so that bundlers for browsers do not look for it.
  const name = 'webgpu';
  try {
    return await import(/* @vite-ignore */ /* webpackIgnore: true */ name);
  } catch (cause) {
    throw new BackendError(
      'webgpu: open: Node has no WebGPU of its own. Install the package that brings it with `npm install webgpu`, or use ' +
        `cpu() of @heed/cpu. (${(cause as Error).message})`,
      { cause },
    );
  }
}

const browsers =
  'Browsers have it on secure pages (https or localhost): Chrome and Edge 113, Safari 26, Firefox 141 on Windows; on Linux ' +
  'Chrome wants the flag --enable-unsafe-webgpu.';

function absent(cause: unknown): string {
  const why = cause ? ` (${(cause as Error).message})` : '';
  return inNode()
    ? `no adapter was found${why}. Dawn needs a driver for Vulkan, Metal or Direct3D 12: that of the GPU, or one in ` +
        'software, such as SwiftShader. On Debian `apt-get install chromium` brings it: set ' +
        'VK_DRIVER_FILES=/usr/lib/chromium/vk_swiftshader_icd.json and LD_LIBRARY_PATH=/usr/lib/chromium. Or use cpu() of @heed/cpu.'
    : `no adapter was found${why}. ${browsers} Or use cpu() of @heed/cpu.`;
}
