// What a bundler makes of things.

import { mkdirSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** A file of src/start and all of heed that it uses as one module; returns its path. */
export async function bundleForNode(name: string): Promise<string> {
  // As deep as src/peers, since the bundle looks for benchmarks/peers from where it lies.
  const folder = here('../.cache/start/');
  mkdirSync(folder, { recursive: true });
  const outfile = `${folder}${name}.mjs`;
  await build({
    entryPoints: [here(`./start/${name}.ts`)],
    outfile,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'error',
  });
  return outfile;
}

export interface Size {
  readonly minified: number;
  readonly gzip: number;
}

/** Bytes of a module as a page would load it. What it imports later, when and if it is needed, does not count. */
export async function sizeOf(source: string, folder: 'heed' | 'peers'): Promise<Size> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: source, resolveDir: here(folder === 'heed' ? '..' : '../peers') },
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    splitting: true,
    outdir: here('../.cache/size'),
    external: ['node:*', 'fs', 'path', 'crypto', 'util', 'os', 'worker_threads', 'perf_hooks', 'module'],
    logLevel: 'error',
  });
  const entry = Object.keys(metafile.outputs).find(
    (path) => metafile.outputs[path]?.entryPoint === '<stdin>',
  );
  const atOnce = new Set(entry ? [entry] : []);
  for (const path of atOnce) {
    for (const one of metafile.outputs[path]?.imports ?? [])
      if (one.kind === 'import-statement' && !one.external) atOnce.add(one.path);
  }
  const files = outputFiles.filter(({ path }) => [...atOnce].some((one) => path.endsWith(basename(one))));
  const total = (of: (contents: Uint8Array) => number): number =>
    files.reduce((sum, { contents }) => sum + of(contents), 0);
  return {
    minified: total(({ length }) => length),
    gzip: total((contents) => gzipSync(contents, { level: 9 }).length),
  };
}
