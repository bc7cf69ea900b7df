// What a bundler makes of things.

import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** A file of src/start and all of heed that it uses, bundled; returns the path of what is to be run. */
export async function bundleForNode(name: string): Promise<string> {
  // As deep as src/peers, since the bundle looks for benchmarks/peers from where it lies.
  const outdir = here('../.cache/start/');
  await build({
    entryPoints: [here(`./start/${name}.ts`)],
    outdir,
    outExtension: { '.js': '.mjs' },
    splitting: true,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'error',
  });
  return `${outdir}${name}.mjs`;
}

export interface Size {
  readonly minified: number;
  readonly gzip: number;
}

export interface Sizes {
  /** What a page loads with the module. */
  readonly atOnce: Size;
  /** With everything that it may import later. */
  readonly inAll: Size;
}

/** Bytes of a module and of its parts as a page would load them. */
export async function sizesOf(source: string, folder: 'heed' | 'peers'): Promise<Sizes> {
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
  const reached = (follow: (kind: string) => boolean): ReadonlySet<string> => {
    const paths = new Set(entry ? [entry] : []);
    for (const path of paths) {
      for (const one of metafile.outputs[path]?.imports ?? [])
        if (follow(one.kind) && !one.external) paths.add(one.path);
    }
    return paths;
  };
  const total = (paths: ReadonlySet<string>): Size => {
    const files = outputFiles.filter(({ path }) => [...paths].some((one) => path.endsWith(basename(one))));
    const sum = (of: (contents: Uint8Array) => number): number =>
      files.reduce((all, { contents }) => all + of(contents), 0);
    return {
      minified: sum(({ length }) => length),
      gzip: sum((contents) => gzipSync(contents, { level: 9 }).length),
    };
  };
  return { atOnce: total(reached((kind) => kind === 'import-statement')), inAll: total(reached(() => true)) };
}
