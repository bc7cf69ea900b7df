// Feature maps: functions of rows whose products take the place of an exponential.

import { type Expr, gt, add as plus, exp as power, type Scalar, select } from '@heed/expr';
import {
  DTypeError,
  elementwise,
  exp,
  matmul,
  max,
  mul,
  normal,
  relu,
  ShapeError,
  square,
  sub,
  sum,
  Tensor,
  ValueError,
} from '@heed/tensor';
import { spoken } from '../arguments.ts';

/** A map of rows [..., feature] to rows of features [..., features] that are not negative. */
export interface FeatureMap {
  readonly name: string;
  /** A query's features may be multiplied by any number of its own: it cancels where the output is normalized. */
  readonly of: (rows: Tensor, side: 'query' | 'key') => Tensor;
}

const raised = (x: Expr<Scalar>) => select(gt(x, 0), plus(x, 1), power(x));

/** elu(x) + 1: x + 1 above 0, exp(x) below. Katharopoulos et al. 2020 (arXiv 2006.16236), equation 7. */
export const eluPlusOne: FeatureMap = {
  name: 'elu+1',
  of: (rows) => elementwise('eluPlusOne', raised, [rows]),
};

/** max(x, 0): features that may all be zero, and so a query that sees nothing; its context is zero. */
export const reluFeatures: FeatureMap = { name: 'relu', of: relu };

/** The directions of random features: drawn, or given as [count, feature]. */
export type Directions = { readonly count: number; readonly seed: number } | { readonly omega: Tensor };

/**
 * exp(omega x' - |x'|² / 2) / sqrt(count), with x' = x / feature^(1/4) and normal directions omega: products of these positive
 * features are on average exp(q . k / sqrt(feature)), the weights of softmax before they are normalized. Choromanski et al.
 * 2021 (Performer, arXiv 2009.14794), lemma 1, without its orthogonal directions; give those as `omega`.
 *
 * The error falls with the root of `count` and grows with |q + k|: for rows of a normal layer take several times the width.
 * A query's largest feature is made one; keys with |x'| above about 14 have features of zero in 32 bits, and no weight.
 */
export function randomFeatures(directions: Directions): FeatureMap {
  if (typeof directions !== 'object' || directions === null)
    throw new DTypeError(`randomFeatures: expected { count, seed } or { omega }, got ${spoken(directions)}.`);
  if ('omega' in directions) {
    if (!(directions.omega instanceof Tensor) || directions.omega.rank !== 2)
      throw new ShapeError(
        `randomFeatures: omega expects a tensor [count, feature], got ${spoken(directions.omega)}.`,
      );
  } else {
    for (const name of ['count', 'seed'] as const) {
      const value = directions[name];
      if (!Number.isSafeInteger(value) || (name === 'count' && value < 1))
        throw new ValueError(
          `randomFeatures: ${name} expects a whole number${name === 'count' ? ' of at least 1' : ''}, got ${String(value)}.`,
        );
    }
  }
  return {
    name: 'omega' in directions ? 'random' : `random(${directions.count})`,
    of: (rows, side) => {
      const width = rows.shape.at(-1) as number;
      if ('omega' in directions && directions.omega.shape[1] !== width)
        throw new ShapeError(
          `randomFeatures: omega expects directions of the rows' ${width} features, got [${directions.omega.shape.join(', ')}].`,
        );
      const omega =
        'omega' in directions
          ? directions.omega
          : normal(rows.device, [directions.count, width], {
              seed: directions.seed,
              dtype: rows.dtype as 'float32',
            });
      const scaled = mul(rows, width ** -0.25);
      const half = mul(sum(square(scaled), { axis: -1, keepDims: true }), 0.5);
      const powers = sub(matmul(scaled, omega, { transposeB: true }), half);
      const largest = max(powers.detach(), { axis: -1, keepDims: true });
      return mul(exp(side === 'query' ? sub(powers, largest) : powers), (omega.shape[0] as number) ** -0.5);
    },
  };
}
