// Rows of mean 0 and variance 1, then a trained size and place for each feature.

import { option } from '@heed/attention';
import { add, div, type Expr, mul, rsqrt, type Scalar, square, sub, toFloat } from '@heed/expr';
import { type RowFormula, rowwise, type Tensor } from '@heed/tensor';
import { defineLayer } from '../define/define-layer.ts';
import { constant } from '../initial/constant.ts';
import { checkWidth } from './width.ts';

type Row = RowFormula<'epsilon'>['result'];

const mean: Row = (_, { rows, length }) => div(rows.total as Expr<Scalar>, toFloat(length));
const away: Row = (all, around) => sub(all[0] as Expr<Scalar>, mean(all, around));
const scaled: Row = (all, around) => {
  const { rows, length, uniforms } = around;
  const variance = div(rows.squares as Expr<Scalar>, toFloat(length));
  return mul(mul(away(all, around), rsqrt(add(variance, uniforms.epsilon))), all[1] as Expr<Scalar>);
};
const reductions: RowFormula<'epsilon'>['reductions'] = [
  { name: 'total', by: 'sum', of: ([x]) => x as Expr<Scalar> },
  // From the differences: the mean of squares less the square of the mean cancels.
  { name: 'squares', by: 'sum', of: (all, around) => square(away(all, around)) },
];

const withoutBias: RowFormula<'epsilon'> = { reductions, result: scaled, per: 'element' };
const withBias: RowFormula<'epsilon'> = {
  reductions,
  result: (all, around) => add(scaled(all, around), all[2] as Expr<Scalar>),
  per: 'element',
};

/**
 * (x - mean) / sqrt(variance + epsilon) * weight + bias along the last axis, [..., width] to the same. Ba, Kiros, Hinton 2016
 * (arXiv 1607.06450), section 3. The variance is the biased one.
 *
 * Parameters: `weight` [width] starts at 1, `bias` [width] at 0.
 *
 * @throws ShapeError where the last axis of x is not `width`.
 * @example layerNorm(device, { width: 64 })(x)
 */
export const layerNorm = defineLayer({
  name: 'layer-norm',
  options: {
    /** The width of a row. */
    width: option.integer({ min: 1 }),
    /** Added to the variance, so that a constant row is no division by 0. */
    epsilon: option.number({ min: 0, default: 1e-5 }),
    /** Whether a trained vector is added. */
    bias: option.boolean({ default: true }),
  },
  make: ({ width, epsilon, bias }, { parameter }) => {
    const weight = parameter('weight', [width], constant(1));
    const shift = bias ? parameter('bias', [width], constant(0)) : null;
    const uniforms = { epsilon };
    return (x: Tensor): Tensor => {
      checkWidth('layer-norm', x, width);
      return shift
        ? rowwise('layerNorm', withBias, [x, weight, shift], { uniforms })
        : rowwise('layerNorm', withoutBias, [x, weight], { uniforms });
    };
  },
});
