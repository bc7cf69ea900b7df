import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { root, sourceFiles } from './scripts/workspace.ts';

const named = (name: string, include: string[]) => ({ extends: true as const, test: { name, include } });

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
    ],
    reporters: ['default', './scripts/skips.ts'],
    passWithNoTests: true,
    // A limit for what hangs, not for what is slow: machines may be busy.
    testTimeout: 60_000,
  },
});
