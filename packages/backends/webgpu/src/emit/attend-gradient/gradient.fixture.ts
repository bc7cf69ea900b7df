// For tests: compiles the shaders of a case and runs none.

import type { Call } from '@heed/tensor';
import { type Case, type Choice, callOf } from '../../../../trials/gradient.fixture.ts';
import { product } from '../../../../trials/pair.fixture.ts';
import type { WebGpuBackend } from '../../device/backend.ts';

/** Compiles every shader that a call needs. @throws BackendError with the compiler's messages. */
export async function warmUp(backend: WebGpuBackend, kase: Case, choice: Choice): Promise<void> {
  const { program, inputs, outputs, ...call } = callOf(kase, choice);
  const viewsOf = (all: typeof inputs): Call['inputs'] =>
    Object.fromEntries(
      Object.entries(all).map(([name, { shape, dtype }]) => {
        const allocation = backend.allocate(Math.max(8, product(shape) * 4));
        const strides = shape.map((_, axis) => product(shape.slice(axis + 1)));
        return [name, { allocation, dtype, shape, strides, offset: 0 }];
      }),
    );
  const kernel = backend.compile(program);
  await backend.warmUp(kernel, { ...call, inputs: viewsOf(inputs), outputs: viewsOf(outputs) });
}
