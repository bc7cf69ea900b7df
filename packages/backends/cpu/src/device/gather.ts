// Results that units of work gather apart from each other: memory for them, and their sum when all units are done.

import { asExpr, constant, Graph, input, scalar } from '@heed/expr';
import type { Allocation, Backend, Call, DType, Program, View } from '@heed/tensor';
import { product } from '../emit/geometry.ts';
import type { Plan } from '../emit/plan.ts';

/** Runs `work` with what the plan gathers among the inputs, and adds the copies up. */
export function gather(backend: Backend, { gathered }: Plan, call: Call, work: (call: Call) => void): void {
  if (!gathered) {
    work(call);
    return;
  }
  const held: Allocation[] = [];
  try {
    const places = Object.entries(gathered).map(([name, { result, copies }]) => {
      const to = call.outputs[result] as View;
      const count = product(to.shape);
      const strides = to.shape.map((_, axis) => product(to.shape.slice(axis + 1)));
      // One copy of a dense result is the result.
      const same =
        copies === 1 && to.dtype === 'float32' && strides.every((stride, i) => stride === to.strides[i]);
      if (same) return { name, to, view: to, same };
      const allocation = backend.allocate(count * copies * 4);
      held.push(allocation);
      const shape = [...to.shape, copies];
      const view: View = { allocation, dtype: 'float32', shape, strides: [...strides, count], offset: 0 };
      return { name, to, view, same };
    });
    // By all threads: one alone takes as long for it as for a tenth of a gradient.
    const zeros = backend.compile(zeroProgram);
    for (const { view } of places) {
      const out: View = { ...view, shape: [product(view.shape)], strides: [1] };
      backend.run(zeros, { inputs: {}, outputs: { out }, uniforms: {}, sizes: {} });
    }
    const inputs = Object.fromEntries(places.map(({ name, view }) => [name, view]));
    work({ ...call, inputs: { ...call.inputs, ...inputs } });
    for (const { to, view, same } of places) {
      if (same || product(to.shape) === 0) continue;
      backend.run(backend.compile(sumProgram(to.shape.length, to.dtype)), {
        inputs: { copy: view },
        outputs: { out: to },
        uniforms: {},
        sizes: {},
      });
    }
  } finally {
    for (const allocation of held) backend.free(allocation);
  }
}

const zeroProgram: Program = {
  kind: 'map',
  rank: 1,
  inputs: {},
  uniforms: {},
  results: { out: { dtype: 'float32', body: asExpr(constant(new Graph(), 0)) } },
};

/** The sum over the last axis. */
function sumProgram(rank: number, dtype: DType): Program {
  const home = new Graph();
  const read = (name: string) => asExpr(input(home, name, scalar, []));
  return {
    kind: 'reduce',
    rank,
    reduced: 1,
    inputs: { copy: 'float32' },
    uniforms: {},
    body: read('copy'),
    by: 'sum',
    finish: read('total'),
    dtype,
  };
}
