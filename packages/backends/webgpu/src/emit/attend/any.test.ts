import type { Backend } from '@heed/tensor';
import fc from 'fast-check';
import { describe, it, vi } from 'vitest';
import { formulaNames, tryFormula, tryParts } from '../../../../trials/any.fixture.ts';
import { Draw } from '../../../../trials/scene.fixture.ts';
import { openOn, swiftshader } from '../../adapters.fixture.ts';

vi.setConfig({ testTimeout: 300_000 });
const open = (): Promise<Backend> => openOn(swiftshader());

// A smaller seed is no simpler case, and every case compiles shaders.
const runs = { numRuns: 10, endOnFailure: true };

describe('any attention', () => {
  it('is right for any lengths, strides, parts and features', async () => {
    const backend = await open();
    const seeds = fc.integer({ min: 0, max: 2 ** 31 });
    await fc.assert(
      fc.asyncProperty(seeds, (seed) => tryParts(backend, new Draw(seed), false)),
      runs,
    );
    await backend.close();
  });

  it('is right for few queries, for which keys are split', async () => {
    const backend = await open();
    const seeds = fc.integer({ min: 0, max: 2 ** 31 });
    await fc.assert(
      fc.asyncProperty(seeds, (seed) => tryParts(backend, new Draw(seed), true)),
      runs,
    );
    await backend.close();
  });

  it.each(formulaNames)('computes any formula: %s', async (name) => {
    const backend = await open();
    await tryFormula(backend, name);
    await backend.close();
  });
});
