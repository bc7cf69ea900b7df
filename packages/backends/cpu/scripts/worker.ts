// Writes src/device/threads/worker-source.ts: what a thread runs, bundled into a string. Run by `pnpm run worker`; a test
// fails while the file is not what this would write.

import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

interface Esbuild {
  buildSync(options: object): { readonly outputFiles: readonly { readonly text: string }[] };
}

const at = (path: string): string => fileURLToPath(new URL(`../src/device/threads/${path}`, import.meta.url));
const FILE = at('worker-source.ts');

/** The file's text. */
export function workerSource(): string {
  // esbuild is tsup's: found through it, so that there is one of them.
  const tsup = createRequire(import.meta.url).resolve('tsup');
  const esbuild = createRequire(tsup)('esbuild') as Esbuild;
  const { outputFiles } = esbuild.buildSync({
    entryPoints: [at('worker.ts')],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    platform: 'neutral',
  });
  const text = (outputFiles[0]?.text ?? '').trim().replaceAll(/[\\`]|\$\{/g, '\\$&');
  return [
    '// What a thread runs. Written by scripts/worker.ts from worker.ts and what it imports: do not edit.',
    '',
    `export const source = \`${text}\`;`,
    '',
  ].join('\n');
}

if (import.meta.main) writeFileSync(FILE, workerSource());
