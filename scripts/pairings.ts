// pnpm pairings --backend webgpu [--score additive] [--gradients]
// Every score with every mask and every normalizer against the definition, each at a random tiny shape. On the cpu it is a test;
// a device that compiles shaders for seconds has it here. Exits with 0 if all agree, 1 if one does not, 2 for a wrong command line.

import { parseArgs } from 'node:util';
import { checkAttention } from '../packages/around/testing/src/index.ts';
import { cpu } from '../packages/backends/cpu/src/index.ts';
import { reference } from '../packages/backends/reference/src/index.ts';
import { webgpu } from '../packages/backends/webgpu/src/index.ts';
import { keptOpen } from '../packages/heed/src/kept-open.fixture.ts';
import { pairingsOf } from '../packages/heed/src/pairings.fixture.ts';
import { sampleSizes, scoreSamples } from '../packages/heed/src/samples.fixture.ts';

const backends = { reference, cpu, webgpu };
const scores = Object.keys(scoreSamples);

const usage = 'usage: pnpm pairings [--backend <name>] [--score <name>] [--gradients]';

function refuse(what: string): never {
  console.error(`${what}\n${usage}`);
  process.exit(2);
}

function chosen<T extends string>(what: string, name: string, among: readonly T[]): T {
  return (
    among.find((one) => one === name) ??
    refuse(`--${what}: there is no "${name}"; there is ${among.join(', ')}.`)
  );
}

function parse() {
  try {
    return parseArgs({
      args: process.argv.slice(2).filter((one) => one !== '--'),
      options: {
        backend: { type: 'string', default: 'webgpu' },
        score: { type: 'string' },
        gradients: { type: 'boolean', default: false },
      },
    }).values;
  } catch (problem) {
    return refuse((problem as Error).message);
  }
}

const values = parse();
const name = chosen('backend', values.backend, Object.keys(backends) as (keyof typeof backends)[]);
const { gradients } = values;

let [agreed, failed] = [0, 0];
for (const score of values.score === undefined ? scores : [chosen('score', values.score, scores)]) {
  const { backend, close } = await keptOpen(backends[name]());
  for (const [at, [label, options]] of Object.entries(pairingsOf(score)).entries()) {
    try {
      await checkAttention(options, { ...sampleSizes, backend, runs: 1, seed: at + 1, least: 1, gradients });
      agreed++;
    } catch (problem) {
      failed++;
      const { message, cause } = problem as Error;
      console.log(`${label}: ${message}${cause instanceof Error ? `\n${cause.message}` : ''}`);
    }
  }
  await close();
  console.log(`${score}: ${agreed} agreed, ${failed} failed so far`);
}
process.exitCode = failed > 0 ? 1 : 0;
