// Every part by name on WebGPU, forward and gradient: what its shaders compute, where the tests of @heed/webgpu compile them.
// In few attentions, for a device in software; all pairings run where there is a GPU, by `pnpm pairings --backend webgpu`.

import { checkAttention } from '@heed/testing';
import { webgpu } from '@heed/webgpu';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { swiftshader } from '../../backends/webgpu/src/adapters.fixture.ts';
import { coverings } from './covering.fixture.ts';
import { defaultRegistry } from './index.ts';
import { type KeptOpen, keptOpen } from './kept-open.fixture.ts';
import { sampleSizes } from './samples.fixture.ts';

// Shaders are compiled for a CPU here, on machines that may be busy.
vi.setConfig({ testTimeout: 120_000 });

let device: KeptOpen;
beforeAll(async () => {
  device = await keptOpen(webgpu({ ...swiftshader(), poison: true }));
});
afterAll(() => device.close());

it('every name is among them', () => {
  expect([...new Set(coverings.flatMap(({ names }) => names))].sort()).toEqual(
    defaultRegistry.parts.map(({ kind, name }) => `${kind} ${name}`).sort(),
  );
});

it.each(coverings.map((one, at) => [one.names.join(', '), one, at + 1] as const))(
  '%s',
  async (_, { options }, seed) => {
    const { backend } = device;
    // Rows of queries and keys enough that every mask hides some and every pass has sums.
    await checkAttention(options, { ...sampleSizes, backend, runs: 1, seed, least: 4, gradients: true });
  },
);
