// The bundler that tsup has: found through it, so that there is one of them.

import { createRequire } from 'node:module';

interface Esbuild {
  buildSync(options: object): { readonly outputFiles: readonly { readonly text: string }[] };
}

const tsup = createRequire(import.meta.url).resolve('tsup');
const esbuild = createRequire(tsup)('esbuild') as Esbuild;

/** One module of everything that a file imports, as text. */
export function bundle(file: string, options: object): string {
  const { outputFiles } = esbuild.buildSync({
    ...options,
    entryPoints: [file],
    bundle: true,
    write: false,
  });
  return outputFiles[0]?.text ?? '';
}
