// A backend that counts what it compiles: proof that a uniform makes no kernel.

import type { BackendPlugin } from 'heed';

export interface Counted {
  readonly backend: BackendPlugin;
  /** Kernels compiled so far. */
  readonly kernels: () => number;
}

export function counted(plugin: BackendPlugin): Counted {
  let kernels = 0;
  return {
    backend: {
      ...plugin,
      async open() {
        const inner = await plugin.open();
        return {
          name: inner.name,
          limits: inner.limits,
          supports: (program) => inner.supports(program),
          compile(program) {
            kernels++;
            return inner.compile(program);
          },
          allocate: (bytes) => inner.allocate(bytes),
          write: (to, bytes, byteOffset) => inner.write(to, bytes, byteOffset),
          run: (kernel, call) => inner.run(kernel, call),
          read: (from, byteOffset, bytes) => inner.read(from, byteOffset, bytes),
          free: (allocation) => inner.free(allocation),
          close: () => inner.close(),
        };
      },
    },
    kernels: () => kernels,
  };
}
