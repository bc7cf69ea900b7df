// One device for many laws, each of which opens and closes the backend that it is given: what is compiled for one is there for all.

import type { BackendPlugin } from '@heed/tensor';
import { wrap } from '../../around/testing/src/laws/modifier.ts';

export interface KeptOpen {
  readonly backend: BackendPlugin;
  readonly close: () => Promise<void>;
}

/** Opens the backend, which stays open until it is closed here. */
export async function keptOpen({ name, open }: BackendPlugin): Promise<KeptOpen> {
  const inner = await open();
  const kept = wrap(inner, { close: async () => undefined });
  return {
    backend: { kind: 'backend', name, open: async () => kept },
    close: async () => inner.close(),
  };
}
