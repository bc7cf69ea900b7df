// Reductions over any axes. Reduced axes are brought to the end by strides; nothing is moved.

import {
  asExpr,
  type Declare,
  div,
  type Expr,
  Graph,
  type Index,
  index,
  input,
  type Scalar,
  scalar,
  toFloat,
  trace,
} from '@heed/expr';
import { type DType, dtypes } from '../contract/dtype.ts';
import type { ReduceProgram, Reduction, Uniforms } from '../contract/program.ts';
import type { Device } from '../device.ts';
import { dispatch } from '../dispatch.ts';
import { promoteFloat, typeOf } from '../promote.ts';
import { type Layout, type Shape, sameShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { mapProgram, repeated, runMap, usedBy } from './formula.ts';

/** What a formula inside an operation reads, by name. */
export interface Operands {
  readonly kinds: Readonly<Record<string, DType>>;
  readonly uniforms: Uniforms;
  readonly operands: Readonly<Record<string, Tensor>>;
  readonly knobs: Readonly<Record<string, number>>;
}

/** The axes that a broadcast from `target` to `shape` repeated. */
function repeatedAxes(shape: Shape, target: Shape): number[] {
  const lead = shape.length - target.length;
  return shape.flatMap((size, axis) =>
    axis < lead || (target[axis - lead] === 1 && size !== 1) ? [axis] : [],
  );
}

/** The sum of a broadcast tensor over what was repeated: the way back from `expand`. */
export function sumTo(tensor: Tensor, target: Shape): Tensor {
  if (sameShape(tensor.shape, target)) return tensor;
  const axes = repeatedAxes(tensor.shape, target);
  return axes.length === 0 ? tensor.reshape(target) : reduceAxes('sum', 'sum', tensor, axes).reshape(target);
}

/** The same for a formula over broadcast operands, summed as it is computed. */
export function reduceTo(
  where: string,
  device: Device,
  body: Expr<Scalar>,
  { kinds, uniforms, operands, knobs }: Operands,
  shape: Shape,
  target: Shape,
  dtype: DType,
): Tensor {
  const used = usedBy([body], kinds, uniforms);
  if ([...used.names].some((name) => name.startsWith('axis'))) {
    // A reduction does not tell where it is; a map does.
    const program = device.remember(body, `map ${shape.length} ${dtype}`, () =>
      mapProgram(shape.length, kinds, uniforms, { out: { dtype, body } }),
    );
    return sumTo(runMap(where, device, program, shape, operands, knobs).out as Tensor, target);
  }
  const axes = repeatedAxes(shape, target);
  const program = device.remember(
    body,
    `reduce ${shape.length} ${axes.length} ${dtype}`,
    (): ReduceProgram => ({
      kind: 'reduce',
      rank: shape.length - axes.length,
      reduced: axes.length,
      inputs: used.inputs,
      uniforms: used.uniforms,
      body,
      by: 'sum',
      finish: asExpr(input(new Graph(), 'total', scalar)),
      dtype,
    }),
  );
  const inputs = Object.keys(used.inputs).map((name) => {
    const { of, as } = repeated(operands[name] as Tensor, shape);
    return [name, { of, as: lastly(as, axes) }] as const;
  });
  const { out } = dispatch(device, program, {
    where,
    inputs: Object.fromEntries(inputs),
    results: { out: { shape: shape.filter((_, axis) => !axes.includes(axis)), dtype } },
    uniforms: Object.fromEntries(Object.keys(used.uniforms).map((name) => [name, knobs[name] as number])),
  });
  return out.reshape(target);
}

/** A layout with the given axes brought to the end. */
function lastly({ shape, strides, offset }: Layout, axes: readonly number[]): Layout {
  const order = [...shape.keys()].filter((axis) => !axes.includes(axis)).concat(axes);
  return {
    shape: order.map((axis) => shape[axis] as number),
    strides: order.map((axis) => strides[axis] as number),
    offset,
  };
}

/** A plain reduction of a tensor, axes gone. Records nothing. */
export function reduceAxes(
  where: string,
  form: Reduction | 'mean',
  tensor: Tensor,
  axes: readonly number[],
): Tensor {
  const { device, dtype, rank, shape } = tensor.use(where);
  const kept = [...shape.keys()].filter((axis) => !axes.includes(axis));
  const program = device.remember(owner, `${form} ${dtype} ${rank} ${axes.length}`, () =>
    plainProgram(form, dtype, kept.length, axes.length),
  );
  const { out } = dispatch(device, program, {
    where,
    inputs: { x: { of: tensor, as: lastly(tensor, axes) } },
    results: { out: { shape: kept.map((axis) => shape[axis] as number), dtype: program.dtype } },
  });
  return out;
}

const owner = {};

function plainProgram(form: Reduction | 'mean', dtype: DType, rank: number, reduced: number): ReduceProgram {
  const by = form === 'mean' ? 'sum' : form;
  const position = by === 'argmax' || by === 'argmin';
  const finish = position
    ? trace(form, index, (declare) => declare('total', index))
    : trace(form, scalar, (declare) => finished(form, declare));
  return {
    kind: 'reduce',
    rank,
    reduced,
    inputs: { x: dtype },
    uniforms: {},
    body: trace(form, scalar, (declare) => asFloat(declare, 'x', dtype)),
    by,
    finish,
    dtype: position ? 'int32' : promoteFloat(dtype),
  };
}

function finished(form: Reduction | 'mean', declare: Declare): Expr<Scalar> {
  const total = declare('total', scalar);
  return form === 'mean' ? div(total, declare('count', index)) : total;
}

/** An operand as a float, whatever it is stored as. */
const asFloat = (declare: Declare, name: string, dtype: DType): Expr<Scalar> => {
  const x = declare(name, typeOf(dtype));
  return dtypes[dtype].element === 'float' ? (x as Expr<Scalar>) : toFloat(x as Expr<Index>);
};
