import { readFileSync } from 'node:fs';
import { defineConfig } from 'tsup';

// The build of a library, run in its folder: what its manifest exports from src is built into dist. A package that
// needs more (a worker) has a file of its own.
const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as { exports: Record<string, string> };

export default defineConfig({
  entry: Object.values(exports).filter((file) => file.endsWith('.ts')),
  format: ['esm', 'cjs'],
  target: 'es2022',
  platform: 'neutral',
  dts: true,
  sourcemap: true,
  clean: true,
  treeshake: true,
  external: [/^node:/],
  removeNodeProtocol: false,
});
