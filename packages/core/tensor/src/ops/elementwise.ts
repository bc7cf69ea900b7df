// Elementwise: any formula over broadcast tensors, as one fused map, with the gradient that follows from the formula.

import {
  asExpr,
  type Bool,
  derive,
  type Expr,
  graph,
  type Index,
  index,
  input,
  inputsOf,
  mul,
  type Scalar,
  scalar,
} from '@heed/expr';
import { type DType, dtypes } from '../contract/dtype.ts';
import type { MapProgram, Uniforms } from '../contract/program.ts';
import type { Device } from '../device.ts';
import { DTypeError } from '../errors.ts';
import { defaultDType, isFloat, promoteFloat, typeOf } from '../promote.ts';
import { broadcastShapes, type Shape, sameShape } from '../shape.ts';
import { isRecording, record } from '../tape/record.ts';
import type { Tensor } from '../tensor.ts';
import {
  type AnyScalar,
  declareKnobs,
  gradientName,
  type KnobSymbols,
  type Knobs,
  knobKey,
  mapProgram,
  operandName,
  runMap,
  traceScalar,
  uniformsOf,
} from './formula.ts';
import { reduceTo, sumTo } from './reduce.ts';

/** What one element of a tensor is in a formula. A tensor of unknown dtype passes as a float. */
export type ElementOf<T extends Tensor> =
  T extends Tensor<infer D>
    ? DType extends D
      ? Expr<Scalar>
      : [D] extends ['int32']
        ? Expr<Index>
        : [D] extends ['bool']
          ? Expr<Bool>
          : Expr<Scalar>
    : never;

/** What a formula may read besides its elements. */
export interface Surroundings<U extends string = string, I extends string = string>
  extends KnobSymbols<U, I> {
  /** The coordinate of the element along an axis of the result, counted from the front. */
  readonly axis: (axis: number) => Expr<Index>;
}

/** One element of the result, from one element of each operand. */
export type Formula<
  Inputs extends readonly Tensor[],
  U extends string = string,
  I extends string = string,
> = (...args: [...{ readonly [K in keyof Inputs]: ElementOf<Inputs[K]> }, Surroundings<U, I>]) => AnyScalar;

export interface ElementwiseOptions<U extends string = string, I extends string = string>
  extends Knobs<U, I> {
  /** The dtype of the result. If left out: bool or int32 where the formula gives them, floats as the operands promote. */
  readonly dtype?: DType;
  /** How messages call the operands. */
  readonly names?: readonly string[];
}

/** A formula traced for operands of certain dtypes and rank. */
interface Traced {
  readonly program: MapProgram;
  readonly body: Expr;
  readonly inputs: Readonly<Record<string, DType>>;
  readonly uniforms: Uniforms;
}

/**
 * `formula` at every place of tensors that are broadcast together: `elementwise('swish', (x) => mul(x, sigmoid(x)), [x])`.
 * It is written with `@heed/expr`, runs once for each combination of dtypes and rank, and needs no gradient of its own.
 * A formula is known again by its identity: define it once, outside loops.
 *
 * @throws ShapeError where shapes do not broadcast; ExpressionError for a formula that is wrong; DTypeError where its
 *   result cannot be stored as `dtype`.
 */
export function elementwise<
  const Inputs extends readonly [Tensor, ...Tensor[]],
  U extends string = never,
  I extends string = never,
>(
  name: string,
  formula: Formula<Inputs, U, I>,
  inputs: Inputs,
  options: ElementwiseOptions<U, I> = {},
): Tensor {
  const { device } = inputs[0];
  const shape = broadcastShapes(
    name,
    inputs.map((one) => one.use(name).shape),
    options.names,
  );
  const given = inputs.map(({ dtype }) => dtype);
  const key = `${given.join()}|${shape.length}|${options.dtype ?? ''}|${knobKey(options)}`;
  const traced = device.remember(formula, key, () =>
    traceMap(name, formula as unknown as Formula<readonly Tensor[]>, given, shape.length, options),
  );
  const knobs: Record<string, number> = { ...options.uniforms, ...options.integers };
  const operands = Object.fromEntries(inputs.map((one, i) => [operandName(i), one]));
  const { out } = runMap(name, device, traced.program, shape, operands, knobs) as { out: Tensor };
  if (isFloat(out.dtype) && isRecording(device, inputs)) recordMap(name, device, traced, inputs, out, knobs);
  return out;
}

function traceMap(
  name: string,
  formula: Formula<readonly Tensor[]>,
  given: readonly DType[],
  rank: number,
  options: ElementwiseOptions,
): Traced {
  const uniforms = uniformsOf(name, options);
  const body = traceScalar(name, (declare) => {
    const symbols = given.map((dtype, i) => declare(operandName(i), typeOf(dtype))) as Expr<Scalar>[];
    const around: Surroundings = {
      ...declareKnobs(declare, uniforms),
      axis: (axis) => declare(`axis${axis}`, index),
    };
    return formula(...symbols, around);
  });
  const { element } = body.type;
  const dtype = options.dtype ?? (element === 'float' ? promoteFloat(...given) : defaultDType(body.type));
  if (dtypes[dtype].element !== element) {
    throw new DTypeError(
      `${name}: the formula gives ${element === 'float' ? 'a float' : `an ${element}`}, which cannot be stored as ${dtype}. Convert it in the formula, or the result with cast.`,
    );
  }
  const inputs = Object.fromEntries(given.map((one, i) => [operandName(i), one]));
  return { body, inputs, uniforms, program: mapProgram(rank, inputs, uniforms, { out: { dtype, body } }) };
}

/** The gradient of the result times the change of each operand: an expression of operands and `upstream`. */
function changesOf({ body, inputs }: Traced): {
  readonly upstream: Expr;
  readonly changes: readonly (Expr<Scalar> | null)[];
} {
  const home = graph(body);
  const upstream = asExpr<Scalar>(input(home, 'upstream', scalar));
  const operands = Object.entries(inputs).map(([name, dtype]) => asExpr(input(home, name, typeOf(dtype))));
  return {
    upstream,
    changes: derive(mul(upstream, body as Expr<Scalar>), operands) as (Expr<Scalar> | null)[],
  };
}

function recordMap(
  name: string,
  device: Device,
  traced: Traced,
  inputs: readonly Tensor[],
  out: Tensor,
  knobs: Readonly<Record<string, number>>,
): void {
  const { changes, upstream } = device.remember(traced, 'changes', () => changesOf(traced));
  const read = new Set(
    inputsOf(
      changes.filter((change, i): change is Expr<Scalar> => change !== null && inputs[i]!.tracked),
    ).map(({ data }) => data.name),
  );
  const needed = inputs.flatMap((tensor, i) =>
    read.has(operandName(i)) ? [{ tensor, name: operandName(i) }] : [],
  );
  const shapes = inputs.map((one) => one.shape);
  const targets = inputs.map((one) => one.dtype);
  const { shape, dtype } = out;
  record(device, {
    name,
    inputs,
    outputs: [out],
    saved: needed.map(({ tensor }) => tensor),
    vjp: ([gradient], saved, wanted) => {
      if (!gradient) return inputs.map(() => null);
      const operands: Record<string, Tensor> = { upstream: gradient };
      for (const [i, { name: operand }] of needed.entries()) operands[operand] = saved[i] as Tensor;
      const kinds = { ...traced.inputs, upstream: dtype };
      // Operands of the result's own shape share one map; where an operand was repeated, its change is summed as it is made.
      const whole = shapes.map((one, i) =>
        Boolean(wanted[i] && changes[i] && changes[i] !== upstream && sameShape(one, shape)),
      );
      const program = device.remember(traced, `gradient ${whole.join()}`, () =>
        mapProgram(
          shape.length,
          kinds,
          traced.uniforms,
          Object.fromEntries(
            whole.flatMap((has, i) =>
              has ? [[gradientName(i), { dtype: targets[i] as DType, body: changes[i] as Expr }]] : [],
            ),
          ),
        ),
      );
      const made = whole.includes(true) ? runMap(name, device, program, shape, operands, knobs) : {};
      return inputs.map((_, i) => {
        const change = changes[i];
        if (!wanted[i] || !change) return null;
        if (whole[i]) return made[gradientName(i)] as Tensor;
        if (change === upstream) return sumTo(gradient, shapes[i] as Shape);
        return reduceTo(
          name,
          device,
          change,
          { kinds, uniforms: traced.uniforms, operands, knobs },
          shape,
          shapes[i] as Shape,
          targets[i] as DType,
        );
      });
    },
  });
}
