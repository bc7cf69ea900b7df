// Random tensors: pure functions of a seed and the element's position, so every backend gives the same numbers.

import type { Expr, Index, Scalar } from '@heed/expr';
import * as expr from '@heed/expr';
import type { DType } from './contract/dtype.ts';
import type { MapProgram } from './contract/program.ts';
import type { CreateOptions } from './create.ts';
import type { Device } from './device.ts';
import { dispatch } from './dispatch.ts';
import { DTypeError, ValueError } from './errors.ts';
import { type FloatDType, isFloat } from './promote.ts';
import { scope } from './scope.ts';
import { checkShape, type Shape, sizeOfShape } from './shape.ts';
import type { Tensor } from './tensor.ts';

export interface RandomOptions<D extends FloatDType = FloatDType> extends CreateOptions<D> {
  /** A whole number of 32 bits. The same seed, stream and shape give the same numbers, on every backend. */
  readonly seed: number;
  /** Tells apart tensors made with one seed: 0 if left out. */
  readonly stream?: number;
}

export interface UniformOptions<D extends FloatDType = FloatDType> extends RandomOptions<D> {
  /** 0 if left out. */
  readonly low?: number;
  /** Not reached; 1 if left out. */
  readonly high?: number;
}

export interface NormalOptions<D extends FloatDType = FloatDType> extends RandomOptions<D> {
  /** 0 if left out. */
  readonly mean?: number;
  /** The standard deviation; 1 if left out. */
  readonly deviation?: number;
}

/** Numbers spread evenly over [low, high). float32 if no dtype is given. */
export const uniform = <D extends FloatDType = 'float32'>(
  device: Device,
  shape: Shape,
  options: UniformOptions<D>,
): Tensor<D> => draw('uniform', device, shape, options, uniformFormula, options.low ?? 0, options.high ?? 1);

/** Normally distributed numbers, by Box and Muller 1958, "A note on the generation of random normal deviates". */
export const normal = <D extends FloatDType = 'float32'>(
  device: Device,
  shape: Shape,
  options: NormalOptions<D>,
): Tensor<D> =>
  draw('normal', device, shape, options, normalFormula, options.mean ?? 0, options.deviation ?? 1);

/** One number from two parameters and the source of uniform numbers. */
type Drawn = (a: Expr<Scalar>, b: Expr<Scalar>, draw: (which: number) => Expr<Scalar>) => Expr<Scalar>;

const uniformFormula: Drawn = (low, high, next) => expr.add(low, expr.mul(expr.sub(high, low), next(0)));

// 1 - u lies in (0, 1], so that the logarithm is finite.
const normalFormula: Drawn = (mean, deviation, next) => {
  const radius = expr.sqrt(expr.mul(expr.log(expr.sub(1, next(0))), -2));
  return expr.add(mean, expr.mul(deviation, expr.mul(radius, expr.cos(expr.mul(next(1), 2 * Math.PI)))));
};

function draw<D extends FloatDType>(
  where: string,
  device: Device,
  shape: Shape,
  { seed, stream = 0, dtype = 'float32' as D }: RandomOptions<D>,
  formula: Drawn,
  a: number,
  b: number,
): Tensor<D> {
  checkShape(where, shape);
  if (!isFloat(dtype)) throw new DTypeError(`${where}: expected a float dtype, got ${dtype}.`);
  for (const [name, value] of [
    ['seed', seed],
    ['stream', stream],
  ] as const) {
    if (Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 32) continue;
    throw new ValueError(`${where}: expected a ${name} that is a whole number of 32 bits, got ${value}.`);
  }
  const program = device.remember(formula, dtype, () => drawProgram(where, formula, dtype));
  return scope(device, () => {
    // Drawn as a list: the numbers depend on the position, not on the shape.
    const { out } = dispatch(device, program, {
      where,
      inputs: {},
      results: { out: { shape: [sizeOfShape(shape)], dtype } },
      uniforms: { seed: seed | 0, stream: stream | 0, a, b },
    });
    return out.reshape(shape) as Tensor<D>;
  });
}

function drawProgram(where: string, formula: Drawn, dtype: DType): MapProgram {
  const body = expr.trace(where, expr.scalar, (declare) => {
    const [seed, stream, position] = ['seed', 'stream', 'axis0'].map((name) => declare(name, expr.index)) as [
      Expr<Index>,
      Expr<Index>,
      Expr<Index>,
    ];
    return formula(declare('a', expr.scalar), declare('b', expr.scalar), (which) =>
      expr.random(seed, stream, position, which),
    );
  });
  return {
    kind: 'map',
    rank: 1,
    inputs: {},
    uniforms: { seed: 'int', stream: 'int', a: 'float', b: 'float' },
    results: { out: { dtype, body } },
  };
}
