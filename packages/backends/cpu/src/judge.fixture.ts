// The laws on every machine, and the conformance cases, in a Node without a test framework: `judge.mjs <folder of cases>`.
// Bundled and run by scripts/judge.ts. Exits with 1 if anything failed.

import { backendLaws } from '@heed/testing';
import { failure, openFolder, runFolder } from '@heed/testing/conformance';
import { cpu } from './index.ts';
import { machines } from './machines.fixture.ts';

interface Trial {
  readonly name: string;
  readonly run: () => unknown;
}

const laws: readonly Trial[] = machines.flatMap(([machine, plugin]) => {
  const found: Trial[] = [];
  const describe = (_: string, body: () => void): void => body();
  backendLaws(plugin, {
    describe,
    it: (name, run) => found.push({ name: `${machine}: ${name}`, run }),
  });
  return found;
});

let failed = 0;
function fail(text: string): void {
  failed++;
  console.log(`FAILED ${text}`);
}

for (const { name, run } of laws) {
  try {
    await run();
  } catch (problem) {
    fail(`${name}\n${problem instanceof Error ? problem.stack : problem}`);
  }
}

const ran = await runFolder(openFolder(process.argv[2] ?? ''), cpu({ threads: 2, poison: true }));
for (const { of, outcome } of ran) {
  if (outcome.status === 'passed') continue;
  fail(outcome.status === 'failed' ? failure(of, outcome) : `${of.id} is not supported: ${outcome.reason}`);
}
console.log(`Node ${process.version}: ${laws.length} laws, ${ran.length} cases, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
