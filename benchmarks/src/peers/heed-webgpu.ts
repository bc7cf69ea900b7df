// heed on its WebGPU backend.

import { type Device, type Kernel, openDevice } from '@heed/tensor';
import { type WebGpuBackend, type WebGpuOptions, webgpu } from '@heed/webgpu';
import type { Arrays } from '../inputs.ts';
import { summary } from '../measure.ts';
import type { Facts } from '../protocol.ts';
import type { Task } from '../task.ts';
import { provideGpu } from '../webgpu/gpu.ts';
import { wayOn } from './heed.ts';
import type { Peer } from './peer.ts';

interface Switches {
  readonly subgroups: boolean;
}

export async function openHeedWebGpu(switches: Switches): Promise<Peer> {
  const { meter } = provideGpu();
  const plugin = webgpu(switches);
  const backend = await plugin.open();
  const device = await openDevice({ ...plugin, open: async () => backend });
  return {
    about: `this repository, Node ${process.version}`,
    ways: async (task, arrays) => {
      const way = wayOn(device, task, arrays);
      const facts = async () => {
        // Read before everything is there a second time.
        const memory = meter.reading;
        return { ...memory, ...(await profiled({ ...switches, device: backend.device }, task, arrays)) };
      };
      return [{ ...way, facts }];
    },
  };
}

/** Runs whose times by the device's clock are taken, and how long for. */
const RUNS = 5;
const MILLISECONDS = 5000;

/** What a run consists of, by a backend that records it, on the same device: its shaders are compiled already. */
async function profiled(options: WebGpuOptions, task: Task, arrays: Arrays): Promise<Facts> {
  const { device, backend, kernels } = await openWatched(options);
  const { run } = wayOn(device, task, arrays);
  await run();
  await backend.profile();
  const times: number[] = [];
  let work = { operations: 0, bytes: 0 };
  const end = performance.now() + MILLISECONDS;
  for (let i = 0; i === 0 || (i < RUNS && performance.now() < end); i++) {
    await run();
    const { untimed, runs } = await backend.profile();
    work = runs.reduce(
      (sum, { work: { operations, bytes } }) => ({
        operations: sum.operations + operations,
        bytes: sum.bytes + bytes,
      }),
      { operations: 0, bytes: 0 },
    );
    const each = runs.flatMap(({ dispatches }) =>
      dispatches.map(({ nanoseconds }) => nanoseconds ?? Number.NaN),
    );
    const total = each.reduce((sum, one) => sum + one, 0) / 1e6;
    if (untimed === null && total > 0) times.push(total);
  }
  const notes = kernels.flatMap(({ program: { kind }, notes }) =>
    kind.startsWith('attend') || kind === 'matmul' ? notes.map((note) => `${kind}: ${note}`) : [],
  );
  await device.close();
  return {
    ...work,
    notes: [...new Set(notes)],
    ...(times.length > 0 ? { deviceMs: summary(times).median } : {}),
  };
}

async function openWatched(
  options: WebGpuOptions,
): Promise<{ device: Device; backend: WebGpuBackend; kernels: readonly Kernel[] }> {
  const plugin = webgpu({ ...options, profile: true });
  const backend = await plugin.open();
  const kernels: Kernel[] = [];
  const compile = backend.compile.bind(backend);
  backend.compile = (program) => {
    const kernel = compile(program);
    kernels.push(kernel);
    return kernel;
  };
  return { device: await openDevice({ ...plugin, open: async () => backend }), backend, kernels };
}
