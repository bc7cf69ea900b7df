import { webgpu } from '@heed/webgpu';
import { describe, it } from 'vitest';
import { expectExact, exponential, type LargeCase, rooted } from '../../../../trials/large-levels.fixture.ts';
import { swiftshader } from '../../adapters.fixture.ts';

describe('gradients at large levels', () => {
  const backend = webgpu({ ...swiftshader(), poison: true });
  it.each(Object.entries({ 'with a sink': exponential['with a sink'] as LargeCase, ...rooted }))(
    'are as exact as at small ones: %s',
    // A single key would be a shader of its own.
    (_, kase) => expectExact(backend, kase, [210, 30]),
    120_000,
  );
});
