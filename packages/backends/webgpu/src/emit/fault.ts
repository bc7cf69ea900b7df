// Faults that a shader finds while it runs: the first one is kept, in four words, for the next read.

import type { Code, ShaderWriter, WgslFunction } from './shader.ts';

/** Words of the fault buffer: the kind's code (0: no fault), the index, the size that it should be below, its element. */
export const WORDS = 4;

export const faultKinds = { gather: 1, 'scatter-add': 2 } as const;

/**
 * Says that an index lies outside its axis; the shader goes on. It may be in non-uniform control flow.
 *
 * @param index what was found, `size` what it should be below, `element` its row-major position: all i32.
 */
export function raiseFault(
  shader: ShaderWriter,
  code: Code,
  kind: keyof typeof faultKinds,
  { index, size, element }: { readonly index: string; readonly size: string; readonly element: string },
): void {
  const words = shader.binding('fault', 'write', 'atomic<u32>');
  const raise: WgslFunction = {
    name: 'raise_fault',
    // Weak exchanges may fail for no reason; one that found another fault has not.
    code: `fn raise_fault(kind: u32, index: i32, size: i32, element: i32) {
  loop {
    let found = atomicCompareExchangeWeak(&${words}[0], 0u, kind);
    if (found.exchanged) {
      atomicStore(&${words}[1], bitcast<u32>(index));
      atomicStore(&${words}[2], bitcast<u32>(size));
      atomicStore(&${words}[3], bitcast<u32>(element));
      return;
    }
    if (found.old_value != 0u) { return; }
  }
}`,
  };
  code.line(`${shader.use(raise)}(${faultKinds[kind]}u, ${index}, ${size}, ${element});`);
}
