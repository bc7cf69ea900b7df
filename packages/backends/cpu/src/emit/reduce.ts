// out[i...] = finish(reduce over j... of body(inputs[i..., j...])).
//
// Lanes run along the innermost reduced axis, or, where only that is contiguous, along the innermost axis that stays.

import type { ReduceProgram } from '@heed/tensor';
import {
  type Axes,
  byteStrides,
  collapse,
  type Layout,
  product,
  type Step,
  stepOf,
  withBlocks,
  withUnitAxis,
} from './geometry.ts';
import type { Planner } from './plan.ts';
import { emitReduce, KEPT_GROUP, type ReduceShape } from './reduce-kernel.ts';

/** Below so many elements a reduced axis does not fill vectors well. */
const SHORT = 16;

export const planReduce: Planner<ReduceProgram> = (program, layouts) => {
  const { rank, inputs, dtype } = program;
  const names = Object.keys(inputs);
  const shape = (layouts[names[0] as string] as Layout).shape;
  const strides: Record<string, readonly number[]> = Object.fromEntries(
    names.map((name) => [name, byteStrides(layouts[name] as Layout)]),
  );
  // The result does not move along reduced axes.
  strides.out = [...byteStrides(layouts.out as Layout), ...shape.slice(rank).map(() => 0)];
  let axes: Axes = collapse(shape, strides, new Set(), [rank]);
  let kept = axes.origins.filter((origin) => origin < rank).length;
  if (kept === axes.sizes.length) axes = withUnitAxis(axes, kept);
  const along = alongWhich(axes, kept, program);
  if (along === 'kept') {
    axes = withBlocks(axes, kept - 1, KEPT_GROUP * 4);
    kept++;
  }
  const lanes = along === 'kept' ? kept - 1 : axes.sizes.length - 1;
  const steps = (name: string, of: typeof dtype): Step =>
    stepOf(of, axes.sizes[lanes] as number, axes.strides[name]?.[lanes] as number);
  const kernel: ReduceShape = {
    along,
    kept,
    reduced: axes.sizes.length - kept,
    steps: Object.fromEntries(names.map((name) => [name, steps(name, inputs[name] as typeof dtype)])),
    out: along === 'kept' ? steps('out', dtype) : 'unit',
  };
  const count = product(axes.sizes.slice(kept));
  return {
    key: JSON.stringify(kernel),
    emit: (machine, checked) => emitReduce(program, kernel, machine, checked),
    sizes: axes.sizes,
    strides: axes.strides,
    numbers: { count },
    units: product(axes.sizes.slice(0, along === 'kept' ? kept - 1 : kept)),
    weight: count * names.length * (along === 'kept' ? KEPT_GROUP * 4 : 1),
    scratch: 0,
    note: `lanes along the ${along} axes`,
  };
};

function alongWhich({ sizes, strides }: Axes, kept: number, { inputs }: ReduceProgram): 'kept' | 'reduced' {
  if (kept === 0) return 'reduced';
  const strided = (axis: number): number =>
    Object.entries(inputs).filter(
      ([name, dtype]) => stepOf(dtype, sizes[axis] as number, strides[name]?.[axis] as number) === 'any',
    ).length;
  const [ofKept, ofReduced] = [strided(kept - 1), strided(sizes.length - 1)];
  if (ofKept !== ofReduced) return ofKept < ofReduced ? 'kept' : 'reduced';
  const [stays, goes] = [sizes[kept - 1] as number, sizes[sizes.length - 1] as number];
  return goes < SHORT && stays > goes ? 'kept' : 'reduced';
}
