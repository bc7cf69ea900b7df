import { defineConfig } from 'tsup';

// The build of a plain library, run inside the package's folder. A package that needs more (a worker) has its own file.
export default defineConfig({
  entry: ['src/index.ts'],
  format: ['esm', 'cjs'],
  target: 'es2022',
  platform: 'neutral',
  dts: true,
  sourcemap: true,
  clean: true,
  treeshake: true,
  removeNodeProtocol: false,
});
