// For tests: this backend beside the reference.

import { Pair } from '../../trials/pair.fixture.ts';
import { CpuBackend } from './device/backend.ts';
import type { Machine } from './emit/machine.ts';

export const openPair = (machine: Machine): Promise<Pair<CpuBackend>> =>
  Pair.with(new CpuBackend({ machine, bytes: 2 ** 28, poison: true, checked: true }));
