// The plugin: how the reference backend is opened.

import type { BackendPlugin } from '@heed/tensor';
import { ReferenceBackend } from './backend.ts';

export interface ReferenceOptions {
  /** How much memory may be held at once; 4 GiB if left out. Small ones show what running out of memory does. */
  readonly bytes?: number;
}

/** The backend that every other one is tested against: each program interpreted in float64, results stored as asked. */
export function reference(options: ReferenceOptions = {}): BackendPlugin<'reference'> {
  const { bytes = 2 ** 32 } = options;
  return {
    kind: 'backend',
    name: 'reference',
    open: async () => new ReferenceBackend(bytes),
  };
}
