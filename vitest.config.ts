import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
// biome-ignore lint/correctness/useImportExtensions: JavaScript, which any Node runs; biome takes its declarations for it.
import { drivers } from './scripts/adapters.mjs';
import { root, sourceFiles } from './scripts/workspace.ts';

const named = (name: string, include: string[]) => ({ extends: true as const, test: { name, include } });

// Here, before any test's process begins: the loader of Vulkan drivers reads the environment that a process begins with.
// Lavapipe would optimise shaders for longer than any test runs them.
Object.assign(process.env, { GALLIVM_PERF: 'nopt', ...drivers() });

export default defineConfig({
  // Any test may import any package, by its source: declaring that would make the dependency graph a cycle.
  resolve: {
    alias: Object.entries(sourceFiles()).map(([name, file]) => ({
      find: new RegExp(`^${name}$`),
      replacement: join(root, file),
    })),
  },
  test: {
    projects: [
      named('packages', [
        'packages/**/src/**/*.test.ts',
        'apps/**/src/**/*.test.ts',
        'examples/**/*.test.ts',
      ]),
      named('conformance', ['conformance/**/*.test.ts']),
      named('scripts', ['scripts/**/*.test.ts']),
      named('docs', ['docs/**/*.test.ts']),
    ],
    reporters: ['default', './scripts/skips.ts'],
    passWithNoTests: true,
    // All of them: by default one core is left idle, which is half of a small machine.
    maxWorkers: availableParallelism(),
    // A limit for what hangs, not for what is slow: machines may be busy.
    testTimeout: 60_000,
  },
});
