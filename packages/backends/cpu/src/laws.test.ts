// The laws of backends, on every kind of machine that this one can play.

import { backendLaws } from '@heed/testing';
import { describe, it, vi } from 'vitest';
import { cpu } from './index.ts';

// Many programs each, on machines that may be busy.
vi.setConfig({ testTimeout: 120_000 });

const machines: Record<string, ReturnType<typeof cpu>> = {
  'one thread': cpu({ threads: 1, poison: true }),
  'two threads': cpu({ threads: 2, poison: true }),
  'no relaxed SIMD': cpu({ threads: 1, poison: true, relaxed: false }),
};
for (const [name, plugin] of Object.entries(machines)) {
  describe(name, () => backendLaws(plugin, { describe, it }));
}
