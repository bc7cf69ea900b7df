import { cpu } from '@heed/cpu';
import { describe, it } from 'vitest';
import { expectExact, exponential } from '../../../../trials/large-levels.fixture.ts';

describe('gradients at large levels', () => {
  it.each(Object.entries(exponential))('are as exact as at small ones: %s', (_, kase) =>
    expectExact(cpu({ threads: 1, poison: true }), kase),
  );
});
