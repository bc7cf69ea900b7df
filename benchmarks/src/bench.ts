// npm run bench: chooses the benchmark by --backend, the CPU backend's if nothing is said. See ../README.md.

import { parseArgs } from 'node:util';

const backends: Readonly<Record<string, () => Promise<unknown>>> = {
  cpu: () => import('./cpu.ts'),
  webgpu: () => import('./webgpu/main.ts'),
};

const { values } = parseArgs({
  args: process.argv.slice(2).filter((one) => one !== '--'),
  options: { backend: { type: 'string', default: 'cpu' } },
  strict: false,
});
const begin = backends[String(values.backend)];
if (!begin) {
  console.error(`--backend expects one of ${Object.keys(backends).join(', ')}, got ${values.backend}`);
  process.exit(2);
}
await begin();
