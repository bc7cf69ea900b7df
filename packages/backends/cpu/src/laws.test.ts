// The laws of backends, on every kind of machine that this one can play.

import { backendLaws } from '@heed/testing';
import { describe, it, vi } from 'vitest';
import { detect, machineOf } from './device/features.ts';
import { tryTurbo } from './device/turbo/turbo.ts';
import { machines } from './machines.fixture.ts';

// Many programs each, on machines that may be busy.
vi.setConfig({ testTimeout: 120_000 });

const features = detect();
const { refused } = tryTurbo(
  machineOf(features, { relaxed: true, shared: false, maximumPages: 16 }),
  features.v8,
);

for (const [name, plugin] of machines) {
  describe(name, () => {
    if (name.startsWith('turbo') && refused !== null) it.skip(`is not to be had here: ${refused}`, () => {});
    else backendLaws(plugin, { describe, it });
  });
}
