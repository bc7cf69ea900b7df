// heed on its CPU backend.

import { type CpuOptions, cpu } from '@heed/cpu';
import { openDevice } from '@heed/tensor';
import { wayOn } from './heed.ts';
import type { Peer } from './peer.ts';

export async function openHeedCpu(options: CpuOptions): Promise<Peer> {
  const device = await openDevice(cpu(options));
  return {
    about: `this repository, Node ${process.version}`,
    ways: async (task, arrays) => [wayOn(device, task, arrays)],
  };
}
