// A process that says what adapter its environment leads to: node probe.ts [rate]. Prints a line of JSON.

import { provideGpu } from './gpu.ts';
import { measureRate, type Rate } from './rate.ts';

export interface Probe {
  /** Vendor, architecture, device and description, as far as the adapter tells. */
  readonly name: string;
  /** Whether it computes on the CPU. */
  readonly software: boolean;
  readonly subgroups: string;
  readonly half: boolean;
  readonly clock: boolean;
  /** Where it was asked for. */
  readonly rate?: Rate;
}

const { gpu } = provideGpu();
const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null);
if (adapter) {
  const { info, features } = adapter;
  const device = await adapter.requestDevice();
  const { vendor, architecture, device: model, description } = info;
  const name = [...new Set([vendor, architecture, model, description])]
    .filter((one) => one !== '')
    .join(', ');
  const { subgroupMinSize, subgroupMaxSize } = info;
  const probe: Probe = {
    name,
    software: info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe/i.test(name),
    subgroups: features.has('subgroups')
      ? [...new Set([subgroupMinSize, subgroupMaxSize])].join(' to ')
      : 'none',
    half: features.has('shader-f16'),
    clock: features.has('timestamp-query'),
    ...(process.argv[2] === 'rate' ? { rate: await measureRate(device) } : {}),
  };
  console.log(JSON.stringify(probe));
}
process.exit(0);
