// What subgroup matrices compute, for real: on lavapipe 26, in a Node of its own, which the newer C library wants.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { bundle } from '../../cpu/scripts/esbuild.ts';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** What starts a Node there, or why nothing can. @throws Error where it is missing: a test that cannot run has failed. */
function started(): { readonly command: string } | { readonly reason: string } {
  const { HEED_LAVAPIPE26: command, HEED_NO_LAVAPIPE26: reason } = process.env;
  if (command && existsSync(command)) return { command };
  if (reason) return { reason };
  throw new Error(
    'lavapipe 26 is missing: `node scripts/adapters.mjs` provides it, from packages of the next Debian.',
  );
}

/** Runs the fixture with everything that it imports; gives what it printed. */
async function run(command: string): Promise<{ readonly printed: string; readonly code: number | null }> {
  const folder = mkdtempSync(join(tmpdir(), 'heed-matrices-'));
  try {
    const file = join(folder, 'matrices.mjs');
    const built = { format: 'esm', platform: 'node', target: 'node24' };
    writeFileSync(
      file,
      bundle(at('./matrices.fixture.ts'), { ...built, tsconfig: at('../../../../tsconfig.base.json') }),
    );
    const dawn = pathToFileURL(createRequire(import.meta.url).resolve('webgpu')).href;
    return await new Promise((resolve, reject) => {
      const child = spawn(command, [file, dawn], { env: { ...process.env, NODE: process.execPath } });
      let printed = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk) => {
          printed += chunk;
        });
      child.on('error', reject);
      child.on('close', (code) => resolve({ printed, code }));
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

it('multiply float16 as the reference does, on lavapipe 26', { timeout: 240_000 }, async ({ skip }) => {
  const node = started();
  if ('reason' in node) skip(`there is no lavapipe 26: ${node.reason}`);
  const { printed, code } = await run((node as { readonly command: string }).command);
  expect(printed.trim(), printed).toMatch(/\n0 failed$/);
  expect(code).toBe(0);
});
