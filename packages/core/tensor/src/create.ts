// Tensors out of nothing but numbers: zeros, ones, full, arange, oneHot.

import * as expr from '@heed/expr';
import { type DType, dtypes } from './contract/dtype.ts';
import type { MapProgram } from './contract/program.ts';
import type { Device } from './device.ts';
import { build, dispatch } from './dispatch.ts';
import { DTypeError, ValueError } from './errors.ts';
import { fill } from './fill.ts';
import { cast } from './ops/cast.ts';
import { equal } from './ops/logic.ts';
import { take } from './ops/lookup.ts';
import { typeOf } from './promote.ts';
import { scope } from './scope.ts';
import { checkShape, type Shape } from './shape.ts';
import type { Tensor } from './tensor.ts';

export interface CreateOptions<D extends DType = DType> {
  readonly dtype?: D;
}

function filled<D extends DType>(
  where: string,
  device: Device,
  shape: Shape,
  value: number,
  dtype: D,
): Tensor<D> {
  checkShape(where, shape);
  if ((dtypes[dtype].element !== 'float' || dtype === 'int8') && value !== (value | 0)) {
    throw new DTypeError(`${where}: expected a whole number of 32 bits for ${dtype}, got ${value}.`);
  }
  return build(device, where, [...shape], dtype, (out) => fill(where, out, value));
}

/** `value` everywhere; if no dtype is given, float32, and bool for a boolean. */
export const full = <V extends number | boolean, D extends DType = V extends boolean ? 'bool' : 'float32'>(
  device: Device,
  shape: Shape,
  value: V,
  options: CreateOptions<D> = {},
): Tensor<D> =>
  filled(
    'full',
    device,
    shape,
    Number(value),
    options.dtype ?? ((typeof value === 'boolean' ? 'bool' : 'float32') as D),
  );

/** Zeros, float32 if no dtype is given. */
export const zeros = <D extends DType = 'float32'>(
  device: Device,
  shape: Shape,
  options: CreateOptions<D> = {},
): Tensor<D> => filled('zeros', device, shape, 0, options.dtype ?? ('float32' as D));

/** Ones, float32 if no dtype is given. */
export const ones = <D extends DType = 'float32'>(
  device: Device,
  shape: Shape,
  options: CreateOptions<D> = {},
): Tensor<D> => filled('ones', device, shape, 1, options.dtype ?? ('float32' as D));

export interface ArangeOptions<D extends DType = DType> extends CreateOptions<D> {
  readonly start?: number;
  readonly step?: number;
}

const owner = {};

/**
 * `start`, `start + step`, ... `count` numbers; int32 if no dtype is given and both are whole, float32 otherwise. It takes
 * the count and not the end: how many numbers fit below an end is a matter of rounding.
 *
 * @throws ValueError for a count that is no whole number of at least 0; DTypeError for fractions as ints.
 */
export function arange<D extends DType = 'int32'>(
  device: Device,
  count: number,
  options: ArangeOptions<D> = {},
): Tensor<D> {
  const { start = 0, step = 1 } = options;
  if (!Number.isSafeInteger(count) || count < 0)
    throw new ValueError(`arange: expected a count that is a whole number of at least 0, got ${count}.`);
  const whole = Number.isInteger(start) && Number.isInteger(step);
  const dtype = options.dtype ?? ((whole ? 'int32' : 'float32') as D);
  if (dtype === 'bool' || (dtype === 'int32' && !whole)) {
    throw new DTypeError(
      `arange: start ${start} and step ${step} cannot be stored as ${dtype}. Ask for { dtype: 'float32' }.`,
    );
  }
  const program = device.remember(owner, dtype, () => arangeProgram(dtype));
  const { out } = dispatch(device, program, {
    where: 'arange',
    inputs: {},
    results: { out: { shape: [count], dtype } },
    uniforms: { start, step },
  });
  return out as Tensor<D>;
}

function arangeProgram(dtype: DType): MapProgram {
  const kind = dtypes[dtype].element === 'int' ? 'int' : 'float';
  const type = typeOf(dtype) as typeof expr.scalar;
  const body = expr.trace('arange', type, (declare) =>
    expr.add(declare('start', type), expr.mul(declare('step', type), declare('axis0', expr.index))),
  );
  return {
    kind: 'map',
    rank: 1,
    inputs: {},
    uniforms: { start: kind, step: kind },
    results: { out: { dtype, body } },
  };
}

/**
 * 1 at each index along a new last axis of size `depth`, 0 elsewhere; float32 if no dtype is given. An index outside
 * is a fault: the next `read` rejects with a ValueError.
 */
export function oneHot<D extends DType = 'float32'>(
  indices: Tensor<'int32'>,
  depth: number,
  options: CreateOptions<D> = {},
): Tensor<D> {
  const { device } = indices.use('oneHot');
  checkShape('oneHot', [depth]);
  return scope(device, () => {
    const places = arange(device, depth);
    // The comparison would say nothing about an index outside; a lookup does.
    take(places, indices);
    return cast(equal(indices.unsqueeze(-1), places), options.dtype ?? ('float32' as D));
  });
}
