// Row operations: reduce along the last axis, then map along it. Softmax and the norms are formulas for this, and their
// gradients follow from the formulas.

import { type Declare, type Expr, type Index, index, type Scalar, scalar, trace } from '@heed/expr';
import type { DType } from '../contract/dtype.ts';
import type { RowProgram, Uniforms } from '../contract/program.ts';
import { dispatch } from '../dispatch.ts';
import { DTypeError, ShapeError } from '../errors.ts';
import { isFloat, promoteFloat } from '../promote.ts';
import { scope } from '../scope.ts';
import { broadcastShapes, type Shape } from '../shape.ts';
import { isRecording, record } from '../tape/record.ts';
import type { Tensor } from '../tensor.ts';
import {
  declareKnobs,
  gradientName,
  type KnobSymbols,
  type Knobs,
  knobKey,
  operandName,
  repeated,
  uniformsOf,
  usedBy,
} from './formula.ts';
import { sumTo } from './reduce.ts';
import { rowGradient } from './row-gradient.ts';

/** What a row's formulas read besides its elements. */
export interface RowSurroundings<U extends string = string, I extends string = string>
  extends KnobSymbols<U, I> {
  /** What the reductions gave, by name; a reduction sees those before it. */
  readonly rows: Readonly<Record<string, Expr<Scalar>>>;
  /** The length of the row. */
  readonly length: Expr<Index>;
}

/** An expression of one element of each operand. */
export type RowExpression<U extends string = string, I extends string = string> = (
  elements: readonly Expr<Scalar>[],
  around: RowSurroundings<U, I>,
) => Expr<Scalar>;

export interface RowReduction<U extends string = string, I extends string = string> {
  readonly name: string;
  readonly by: 'sum' | 'max' | 'min';
  readonly of: RowExpression<U, I>;
  /**
   * Says that the result does not depend on this value (a shift that keeps exponentials in range, say): no gradient is
   * computed through it.
   */
  readonly neutral?: boolean;
}

export interface RowFormula<U extends string = string, I extends string = string> {
  readonly reductions: readonly RowReduction<U, I>[];
  readonly result: RowExpression<U, I>;
  /** Whether there is a result for each element, or one for each row, which reads reductions only. */
  readonly per: 'element' | 'row';
}

/** A formula traced for operands of certain dtypes. */
export interface TracedRow {
  readonly kinds: Readonly<Record<string, DType>>;
  readonly uniforms: Uniforms;
  readonly reductions: readonly {
    readonly name: string;
    readonly by: 'sum' | 'max' | 'min';
    readonly body: Expr<Scalar>;
    readonly neutral: boolean;
  }[];
  readonly result: Expr<Scalar>;
  readonly per: 'element' | 'row';
  readonly dtype: DType;
}

/**
 * A formula along the last axis of float tensors that are broadcast together: reductions, one after another, then a
 * result. Shapes: [row..., length] to the same, or to [row...] for a result per row.
 *
 * @throws ShapeError where shapes do not broadcast or there is no axis; DTypeError for operands that are not floats.
 */
export function rowwise<U extends string = never, I extends string = never>(
  name: string,
  formula: RowFormula<U, I>,
  inputs: readonly [Tensor, ...Tensor[]],
  options: Knobs<U, I> = {},
): Tensor {
  const { device } = inputs[0];
  const shape = broadcastShapes(
    name,
    inputs.map((one) => one.use(name).shape),
  );
  if (shape.length === 0) throw new ShapeError(`${name}: expected at least one axis, got a scalar.`);
  for (const one of inputs) {
    if (!isFloat(one.dtype))
      throw new DTypeError(`${name}: expected floats, got ${one}. Convert it with cast(tensor, 'float32').`);
  }
  const given = inputs.map(({ dtype }) => dtype);
  const key = `${given.join()}|${knobKey(options)}`;
  const traced = device.remember(formula, key, () => traceRow(name, formula as RowFormula, given, options));
  const program = device.remember(traced, `forward ${shape.length}`, () => forward(traced, shape.length - 1));
  const knobs: Record<string, number> = { ...options.uniforms, ...options.integers };
  const out = runRow(name, program, inputs, [], knobs, shape).out as Tensor;
  if (isRecording(device, inputs)) recordRow(name, traced, inputs, out, knobs, shape);
  return out;
}

function traceRow(name: string, formula: RowFormula, given: readonly DType[], options: Knobs): TracedRow {
  const uniforms = uniformsOf(name, options);
  const seen: string[] = [];
  const tracing = (expression: RowExpression): Expr<Scalar> =>
    trace(name, scalar, (declare: Declare) => {
      const elements = given.map((_, i) => declare(operandName(i), scalar));
      const rows = Object.fromEntries(seen.map((row) => [row, declare(row, scalar)]));
      return expression(elements, {
        ...declareKnobs(declare, uniforms),
        rows,
        length: declare('length', index),
      });
    });
  const reductions = formula.reductions.map(({ name: row, by, of, neutral = false }) => {
    const body = tracing(of);
    seen.push(row);
    return { name: row, by, body, neutral };
  });
  const kinds = Object.fromEntries(given.map((dtype, i) => [operandName(i), dtype]));
  return {
    kinds,
    uniforms,
    reductions,
    result: tracing(formula.result),
    per: formula.per,
    dtype: promoteFloat(...given),
  };
}

/** A program of these reductions and results that is declared to read what it does read. */
export function rowProgram(
  rank: number,
  { kinds, uniforms }: Pick<TracedRow, 'kinds' | 'uniforms'>,
  reductions: RowProgram['reductions'],
  results: RowProgram['results'],
): RowProgram {
  const bodies = [...reductions.map(({ body }) => body), ...Object.values(results).map(({ body }) => body)];
  const used = usedBy(bodies, kinds, uniforms);
  return { kind: 'row', rank, inputs: used.inputs, uniforms: used.uniforms, reductions, results };
}

const forward = (traced: TracedRow, rank: number): RowProgram =>
  rowProgram(
    rank,
    traced,
    traced.reductions.map(({ name, by, body }) => ({ name, by, body })),
    { out: { dtype: traced.dtype, body: traced.result, per: traced.per } },
  );

function runRow(
  where: string,
  program: RowProgram,
  inputs: readonly (Tensor | undefined)[],
  upstream: readonly Tensor[],
  knobs: Readonly<Record<string, number>>,
  shape: Shape,
): Record<string, Tensor> {
  const named: Record<string, Tensor | undefined> = Object.fromEntries(
    inputs.map((one, i) => [operandName(i), one]),
  );
  if (upstream[0]) named.upstream = upstream[0];
  const device = (upstream[0] ?? (inputs[0] as Tensor)).device;
  return dispatch(device, program, {
    where,
    inputs: Object.fromEntries(
      Object.keys(program.inputs).map((name) => [name, repeated(named[name] as Tensor, shape)]),
    ),
    results: Object.fromEntries(
      Object.entries(program.results).map(([name, { dtype, per }]) => [
        name,
        { dtype, shape: per === 'row' ? shape.slice(0, -1) : shape },
      ]),
    ),
    uniforms: Object.fromEntries(Object.keys(program.uniforms).map((name) => [name, knobs[name] as number])),
  });
}

function recordRow(
  name: string,
  traced: TracedRow,
  inputs: readonly Tensor[],
  out: Tensor,
  knobs: Readonly<Record<string, number>>,
  shape: Shape,
): void {
  const { device } = out;
  const shapes = inputs.map((one) => one.shape);
  const programFor = (wanted: readonly boolean[]): RowProgram | null =>
    device.remember(traced, `gradient ${shape.length} ${wanted.join()}`, () =>
      rowGradient(traced, shape.length - 1, wanted),
    );
  const most = programFor(inputs.map((one) => one.tracked));
  const needed = inputs.map((_, i) => Boolean(most && operandName(i) in most.inputs));
  record(device, {
    name,
    inputs,
    outputs: [out],
    saved: inputs.filter((_, i) => needed[i]),
    vjp: ([gradient], saved, wanted) => {
      const program = programFor(wanted);
      if (!gradient || !program) return inputs.map(() => null);
      let next = 0;
      const operands = needed.map((has) => (has ? saved[next++] : undefined));
      // A gradient per row is the same for all of the row's elements.
      const upstream = traced.per === 'row' ? gradient.unsqueeze(-1) : gradient;
      const made = runRow(name, program, operands, [upstream], knobs, shape);
      return shapes.map((one, i) => {
        const change = made[gradientName(i)];
        return change ? sumTo(change, one) : null;
      });
    },
  });
}

/** A row operation along any axis: that axis is brought to the end, and back, by strides. */
export const alongAxis = (tensor: Tensor, axis: number, operation: (rows: Tensor) => Tensor): Tensor =>
  axis === tensor.rank - 1
    ? operation(tensor)
    : scope(tensor.device, () => operation(tensor.transpose(axis, -1)).transpose(axis, -1));
