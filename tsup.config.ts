import { readFileSync } from 'node:fs';
import { defineConfig } from 'tsup';

// The build of a library, run in its folder: what its manifest exports from src is built into dist. A package that
// needs more (a worker) has a file of its own.
const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as { exports: Record<string, string> };

const entry = Object.values(exports).filter((file) => file.endsWith('.ts'));

// The bundler of declarations drops what an entry refers to, such as the library of the DOM.
const references = entry.flatMap(
  (file) => readFileSync(file, 'utf8').match(/^\/\/\/ <reference lib=.+$/gm) ?? [],
);

export default defineConfig({
  entry,
  format: ['esm', 'cjs'],
  target: 'es2022',
  platform: 'neutral',
  dts: references.length > 0 ? { banner: references.join('\n') } : true,
  sourcemap: true,
  clean: true,
  treeshake: true,
  external: [/^node:/],
  removeNodeProtocol: false,
});
