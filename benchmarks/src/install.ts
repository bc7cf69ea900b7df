// Puts the peers where only the benchmark finds them, and looks for PyTorch.

import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../peers', import.meta.url));
const shell = process.platform === 'win32';

/** Installs what peers/package-lock.json says, unless it is there. @throws Error where that fails. */
export function installPeers(): void {
  const lock = join(folder, 'package-lock.json');
  const installed = join(folder, 'node_modules', '.package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  console.log('Installing the peers into benchmarks/peers/node_modules, about 750 MB ...');
  // Without install scripts: the only one that does anything fetches libraries for GPUs.
  const { status } = spawnSync(
    'npm',
    ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      cwd: folder,
      stdio: ['ignore', 'inherit', 'inherit'],
      shell,
    },
  );
  if (status !== 0)
    throw new Error(
      'The peers could not be installed: `npm ci` in benchmarks/peers failed. heed alone: npm run bench -- --systems heed,heed-turbo',
    );
}

/** The reason why PyTorch is left out; undefined where it is on the machine. */
export function torchMissing(): string | undefined {
  const { status, stderr, error } = spawnSync('python3', ['-c', 'import torch'], { encoding: 'utf8' });
  if (status === 0) return undefined;
  return error
    ? `python3 does not start (${error.message})`
    : (stderr.trim().split('\n').at(-1) ?? 'import torch fails');
}
