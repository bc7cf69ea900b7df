// Sums of numbers narrower than float32, kept in float32 while they are added to.
//
// Adding in place would round after every term (and int8 would saturate), so what is stored is widened, added to, and
// stored again once.

import { scalar, trace } from '@heed/expr';
import type { Allocation, Backend, Call, DType, MapProgram, Program, View } from '@heed/tensor';
import { product } from '../emit/geometry.ts';

const NARROW: readonly DType[] = ['float16', 'bfloat16', 'int8'];

/** Whether the sums of a program need a wider place than their own. */
export const addsNarrow = (program: Program): boolean =>
  program.kind === 'scatter-add' && NARROW.includes(program.dtype);

const castProgram = (rank: number, from: DType, to: DType): MapProgram => ({
  kind: 'map',
  rank,
  inputs: { from },
  uniforms: {},
  results: { to: { dtype: to, body: trace('cast', scalar, (declare) => declare('from', scalar)) } },
});

/** Runs a scatter-add of a narrow dtype by way of float32. */
export function scatterWide(backend: Backend, { inputs, outputs }: Call, outer: number, inner: number): void {
  const [source, index, out] = [inputs.source, inputs.index, outputs.out] as [View, View, View];
  const held: Allocation[] = [];
  const rank = outer + 1 + inner;
  const cast = (from: View, to: View): void =>
    backend.run(backend.compile(castProgram(rank, from.dtype, to.dtype)), {
      inputs: { from },
      outputs: { to },
      uniforms: {},
      sizes: {},
    });
  const wide = (view: View): View => {
    const allocation = backend.allocate(product(view.shape) * 4);
    held.push(allocation);
    const strides = view.shape.map((_, axis) => product(view.shape.slice(axis + 1)));
    const made: View = { allocation, dtype: 'float32', shape: view.shape, strides, offset: 0 };
    cast(view, made);
    return made;
  };
  try {
    const sums = wide(out);
    const kernel = backend.compile({ kind: 'scatter-add', outer, inner, dtype: 'float32' });
    backend.run(kernel, {
      inputs: { source: wide(source), index },
      outputs: { out: sums },
      uniforms: {},
      sizes: {},
    });
    cast(sums, out);
  } finally {
    for (const allocation of held) backend.free(allocation);
  }
}
