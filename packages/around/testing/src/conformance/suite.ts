// Runs all cases of a folder.

import type { BackendPlugin } from '@heed/tensor';
import { openDevice } from '@heed/tensor';
import { families } from './families/index.ts';
import type { Folder } from './folder.ts';
import type { Ran } from './report.ts';
import { type RunOptions, runCase } from './run.ts';

export interface SuiteOptions extends Partial<RunOptions> {
  /** Only cases of this family. */
  readonly family?: string;
}

/** Opens the backend, runs the cases one after the other, and closes it. */
export async function runFolder(
  { cases, files }: Folder,
  backend: BackendPlugin,
  { family, ...options }: SuiteOptions = {},
): Promise<readonly Ran[]> {
  const device = await openDevice(backend);
  try {
    const ran: Ran[] = [];
    for (const of of cases) {
      if (family !== undefined && of.family !== family) continue;
      ran.push({ of, outcome: await runCase(of, files, device, { families, ...options }) });
    }
    return ran;
  } finally {
    await device.close();
  }
}
