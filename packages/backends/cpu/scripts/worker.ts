// Writes src/device/threads/worker-source.ts: what a thread runs, bundled into a string. Run by `pnpm run worker`; a test
// fails while the file is not what this would write.

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundle } from './esbuild.ts';

const at = (path: string): string => fileURLToPath(new URL(`../src/device/threads/${path}`, import.meta.url));
const FILE = at('worker-source.ts');

/** The file's text. */
export function workerSource(): string {
  const script = bundle(at('worker.ts'), {
    minify: true,
    format: 'iife',
    target: 'es2022',
    platform: 'neutral',
  });
  const text = script.trim().replaceAll(/[\\`]|\$\{/g, '\\$&');
  return [
    '// What a thread runs. Written by scripts/worker.ts from worker.ts and what it imports: do not edit.',
    '',
    `export const source = \`${text}\`;`,
    '',
  ].join('\n');
}

if (import.meta.main) writeFileSync(FILE, workerSource());
