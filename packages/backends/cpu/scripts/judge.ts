// Runs the laws and the conformance cases under another Node, which knows neither TypeScript nor a test framework:
//   node scripts/judge.ts <node executable>

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './esbuild.ts';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** A Node of another major version: the one that started the checks, or one that the path leads to. Null if there is none. */
export function otherNode(): string | null {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  const found = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name));
  const candidates = [process.env.HEED_CALLER_NODE, ...found].filter((one) => one !== undefined);
  const major = (version: string): number => Number(/\d+/.exec(version)?.[0]);
  const isOther = (node: string): boolean => {
    try {
      const version = major(execFileSync(node, ['--version'], { encoding: 'utf8', stdio: 'pipe' }));
      return version >= 20 && version !== major(process.version);
    } catch {
      // There is no such file, or it does not run.
      return false;
    }
  };
  return candidates.find(isOther) ?? null;
}

/** What it printed, and whether all held. */
export async function judge(node: string): Promise<{ readonly printed: string; readonly held: boolean }> {
  const folder = mkdtempSync(join(tmpdir(), 'heed-judge-'));
  try {
    const file = join(folder, 'judge.mjs');
    const built = { format: 'esm', platform: 'node', target: 'node20' };
    writeFileSync(
      file,
      bundle(at('../src/judge.fixture.ts'), { ...built, tsconfig: at('../../../../tsconfig.base.json') }),
    );
    return await new Promise((resolve, reject) => {
      const child = spawn(node, [file, at('../../../../conformance')]);
      let printed = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk) => {
          printed += chunk;
        });
      child.on('error', reject);
      child.on('close', (code) => resolve({ printed, held: code === 0 }));
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const { printed, held } = await judge(process.argv[2] ?? process.execPath);
  console.log(printed.trim());
  process.exitCode = held ? 0 : 1;
}
