// Which adapter everything runs on, and the environment in which processes find it and no other.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ADAPTER } from './gpu.ts';
import type { Probe } from './probe.ts';

type Environment = Readonly<Record<string, string>>;

export interface Adapter {
  readonly env: Environment;
  readonly probe: Probe & Required<Pick<Probe, 'rate'>>;
}

const file = fileURLToPath(new URL('./probe.ts', import.meta.url));
const adapters = fileURLToPath(new URL('../../../scripts/adapters.mjs', import.meta.url));

/** The environment in which the drivers in software are found. */
const drivers = (): Environment =>
  JSON.parse(
    spawnSync(process.execPath, [adapters, '--drivers'], { encoding: 'utf8' }).stdout,
  ) as Environment;

function probe(env: Environment, ...args: readonly string[]): Probe | undefined {
  const { stdout } = spawnSync(process.execPath, [file, ...args], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 120_000,
  });
  const line = stdout.split('\n').find((one) => one.startsWith('{'));
  return line === undefined ? undefined : (JSON.parse(line) as Probe);
}

/**
 * What the platform gives; where it gives nothing that fits, one of the drivers in software that the tests use. Each of them
 * alone: peers with a Dawn of their own take the first adapter.
 *
 * @param name a part of the adapter's name; any adapter if left out.
 * @throws Error where there is none.
 */
export function findAdapter(name: string | undefined): Adapter {
  const { VK_DRIVER_FILES = '', ...rest } = drivers();
  const software = VK_DRIVER_FILES.split(':').flatMap((one) =>
    one ? [{ ...rest, VK_DRIVER_FILES: one }] : [],
  );
  const asked: Environment = name === undefined ? {} : { [ADAPTER]: name };
  for (const env of [asked, ...software.map((one) => ({ ...one, ...asked }))]) {
    if (!probe(env)) continue;
    const found = probe(env, 'rate');
    if (found?.rate) return { env, probe: { ...found, rate: found.rate } };
  }
  throw new Error(
    `no WebGPU adapter${name === undefined ? '' : ` whose name contains "${name}"`} was found. \`node scripts/adapters.mjs\` ` +
      'provides two in software.',
  );
}
