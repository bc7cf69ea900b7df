// pnpm conformance <folder> --backend reference [--family sdpa] [--tolerance-factor 10]
// Exits with 0 if nothing failed, 1 if something did, 2 if the folder or the command line cannot be read.

import { parseArgs } from 'node:util';
import { cpu } from '@heed/cpu';
import { reference } from '@heed/reference';
import type { BackendPlugin } from '@heed/tensor';
import { webgpu } from '@heed/webgpu';
import { ConformanceDataError } from './case.ts';
import { openFolder } from './folder.ts';
import { count, report } from './report.ts';
import { runFolder } from './suite.ts';

/** Backends by name. A new backend adds a line. */
const backends: Readonly<Record<string, () => BackendPlugin>> = {
  reference: () => reference(),
  cpu: () => cpu(),
  webgpu: () => webgpu(),
};

class UsageError extends Error {}

const usage = `usage: pnpm conformance <folder> --backend <${Object.keys(backends).join(' | ')}> [--family <name>] [--tolerance-factor <number>]`;

async function main(args: readonly string[]): Promise<number> {
  const { folder, backend, options } = settings(args);
  const opened = openFolder(folder);
  const { family } = options;
  if (family !== undefined && !opened.cases.some((one) => one.family === family)) {
    const known = [...new Set(opened.cases.map((one) => one.family))].sort();
    throw new UsageError(`no case of ${folder} is of the family "${family}"; there are ${known.join(', ')}.`);
  }
  const ran = await runFolder(opened, backend, options);
  console.log(report(ran));
  return count(ran, 'failed') > 0 ? 1 : 0;
}

function settings(args: readonly string[]) {
  const { values, positionals } = parse(args);
  const [folder, ...more] = positionals;
  if (folder === undefined || more.length > 0)
    throw new UsageError(`expected one folder, got ${positionals.length}.`);
  const name = values.backend ?? 'reference';
  const open = Object.hasOwn(backends, name) ? backends[name] : undefined;
  if (!open)
    throw new UsageError(`there is no backend "${name}"; there is ${Object.keys(backends).join(', ')}.`);
  const toleranceFactor = Number(values['tolerance-factor'] ?? 1);
  if (!(toleranceFactor > 0)) throw new UsageError('--tolerance-factor expects a number above 0.');
  const family = values.family === undefined ? {} : { family: values.family };
  return {
    folder,
    backend: open(),
    options: { toleranceFactor, ...family } as { toleranceFactor: number; family?: string },
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: args.filter((one) => one !== '--'),
      allowPositionals: true,
      options: {
        backend: { type: 'string' },
        family: { type: 'string' },
        'tolerance-factor': { type: 'string' },
      },
    });
  } catch (problem) {
    throw new UsageError((problem as Error).message);
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (problem) {
  if (!(problem instanceof UsageError || problem instanceof ConformanceDataError)) throw problem;
  console.error(problem instanceof UsageError ? `${problem.message}\n${usage}` : problem.message);
  process.exitCode = 2;
}
