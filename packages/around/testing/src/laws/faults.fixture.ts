// Backends that are wrong in one way each.

import { reference } from '@heed/reference';
import type { Backend, BackendPlugin, Call, Kernel, Program, View } from '@heed/tensor';
import { dtypes } from '@heed/tensor';
import { wrap } from './modifier.ts';

/** The reference with some methods replaced. */
export const faulty = (change: (inner: Backend) => Partial<Backend>): BackendPlugin => ({
  kind: 'backend',
  name: 'faulty',
  open: async () => {
    const inner = await reference().open();
    return wrap(inner, change(inner));
  },
});

type When = (program: Program, call: Call) => boolean;

/** After programs for which `when` holds, one element of each result is another number. */
export const spoils = (when: When, element = 0): BackendPlugin =>
  faulty((inner) => ({
    run: (kernel: Kernel, call: Call) => {
      inner.run(kernel, call);
      if (when(kernel.program, call))
        for (const view of Object.values(call.outputs)) spoil(inner, view, element);
    },
  }));

function spoil(inner: Backend, { allocation, dtype, offset, shape }: View, element: number): void {
  const { bytes } = dtypes[dtype];
  const size = shape.reduce((all, one) => all * one, 1);
  if (size <= element) return;
  // About 12 as a float32 and two million as a float64: nobody expects either.
  inner.write(
    allocation,
    new Uint8Array(bytes).fill(dtype === 'bool' ? 1 : 0x41),
    (offset + element) * bytes,
  );
}

/** A backend that claims to store no float64, and so is tried in float32. */
export const narrow = faulty((inner) => ({
  limits: { ...inner.limits, dtypes: inner.limits.dtypes.filter((dtype) => dtype !== 'float64') },
}));

/** Changes what a call says before it runs. */
export const misreads = (change: (call: Call, program: Program) => Call): BackendPlugin =>
  faulty((inner) => ({ run: (kernel, call) => inner.run(kernel, change(call, kernel.program)) }));

/** Opens once; a second opening finds the device closed. */
export function opensOnce(): BackendPlugin {
  const opened = reference().open();
  return { kind: 'backend', name: 'once', open: () => opened };
}
