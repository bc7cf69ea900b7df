// The laws of backends, on every kind of machine that this one can play.

import { backendLaws } from '@heed/testing';
import { describe, it, vi } from 'vitest';
import { detect, machineOf } from './device/features.ts';
import { tryTurbo } from './device/turbo/turbo.ts';
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

describe('turbo', () => {
  const features = detect();
  const machine = machineOf(features, { relaxed: true, shared: false, maximumPages: 16 });
  const { refused } = tryTurbo(machine, features.v8);
  if (refused === null) backendLaws(cpu({ threads: 2, poison: true, turbo: true }), { describe, it });
  else it.skip(`is not to be had here: ${refused}`, () => {});
});
