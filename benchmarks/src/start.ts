// From the start of a process to its first result, length 128: processes in turns, each with one module to load.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { bundleForNode } from './bundle.ts';
import { type Measured, summary } from './measure.ts';
import { HEED } from './systems.ts';

export interface StartRow {
  readonly name: string;
  readonly time?: Measured;
  readonly failed?: string;
}

const EMPTY = 'empty';
const scripts: readonly string[] = [HEED, 'onnxruntime-node', 'onnxruntime-web', 'jax-js', 'tfjs'];

export async function measureStarts(systems: readonly string[], runs = 11): Promise<StartRow[]> {
  const commands: { name: string; command: readonly string[] }[] = [];
  for (const name of [EMPTY, ...scripts.filter((one) => systems.includes(one))])
    commands.push({ name, command: [process.execPath, await bundleForNode(name)] });
  if (systems.includes('torch')) {
    const script = fileURLToPath(new URL('../peers/torch_peer.py', import.meta.url));
    commands.push({ name: 'torch', command: ['python3', script, 'first-result', '1'] });
  }
  const times = new Map<string, number[]>();
  const failed = new Map<string, string>();
  for (let run = 0; run < runs; run++) {
    for (const { name, command } of commands) {
      if (failed.has(name)) continue;
      const outcome = await firstResult(command);
      if (typeof outcome === 'string') failed.set(name, outcome);
      else times.set(name, [...(times.get(name) ?? []), outcome]);
    }
  }
  return commands.map(({ name }) => {
    const problem = failed.get(name);
    return problem === undefined ? { name, time: summary(times.get(name) ?? []) } : { name, failed: problem };
  });
}

/** Milliseconds until the process says that it is done, or what went wrong. */
function firstResult([command = '', ...args]: readonly string[]): Promise<number | string> {
  return new Promise((resolve) => {
    const start = performance.now();
    const child = spawn(command, args, { timeout: 60_000 });
    let said = '';
    child.stderr.on('data', (chunk) => {
      said = `${said}${chunk}`.slice(-2000);
    });
    let took = 0;
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('done')) took ||= performance.now() - start;
    });
    child.on('error', ({ message }) => resolve(message));
    child.on('close', (code) => {
      const complaint = said.split('\n').find((line) => /Error/.test(line)) ?? said.trim().split('\n').at(-1);
      resolve(took > 0 ? took : `ended with ${code}: ${complaint}`);
    });
  });
}
