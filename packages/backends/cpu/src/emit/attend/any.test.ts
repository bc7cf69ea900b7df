import fc from 'fast-check';
import { describe, it } from 'vitest';
import { formulaNames, tryFormula, tryParts } from '../../../../trials/any.fixture.ts';
import { Draw } from '../../../../trials/scene.fixture.ts';
import { open, widths } from './open.fixture.ts';

describe('any attention', () => {
  it.each(widths)(
    'is right for any lengths, strides, parts and features, by tiles of %s',
    async (_, openAs) => {
      const backend = await openAs();
      const seeds = fc.integer({ min: 0, max: 2 ** 31 });
      await fc.assert(
        fc.asyncProperty(seeds, (seed) => tryParts(backend, new Draw(seed), false)),
        { numRuns: 60 },
      );
      await backend.close();
    },
    60_000,
  );

  it('is right for few queries, which are done one by one', async () => {
    const backend = await open();
    const seeds = fc.integer({ min: 0, max: 2 ** 31 });
    await fc.assert(
      fc.asyncProperty(seeds, (seed) => tryParts(backend, new Draw(seed), true)),
      { numRuns: 60 },
    );
    await backend.close();
  }, 60_000);

  it.each(formulaNames)('computes any formula: %s', async (name) => {
    const backend = await open();
    await tryFormula(backend, name);
    await backend.close();
  });
});
