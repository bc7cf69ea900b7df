// For tests: backends on every kind of tile.

import type { Backend } from '@heed/tensor';
import { CpuBackend } from '../../device/backend.ts';
import { cpu } from '../../index.ts';
import { wide } from '../math/arrays.fixture.ts';

export const open = (options: Parameters<typeof cpu>[0] = {}): Promise<Backend> =>
  cpu({ poison: true, ...options }).open();

/** Backends whose tiles are as wide as this engine takes them, and as wide as turbo does. */
export const widths: readonly (readonly [string, () => Promise<Backend>])[] = [
  ['8 queries', () => open()],
  ['16 queries', async () => new CpuBackend({ machine: wide, bytes: 2 ** 28, poison: true, checked: true })],
];
