// Rows of mean square 1, then a trained size for each feature.

import { option } from '@heed/attention';
import { add, div, type Expr, mul, rsqrt, type Scalar, square, toFloat } from '@heed/expr';
import { type RowFormula, rowwise, type Tensor } from '@heed/tensor';
import { defineLayer } from '../define/define-layer.ts';
import { constant } from '../initial/constant.ts';
import { checkWidth } from './width.ts';

const formula: RowFormula<'epsilon'> = {
  reductions: [{ name: 'squares', by: 'sum', of: ([x]) => square(x as Expr<Scalar>) }],
  result: ([x, weight], { rows, length, uniforms: { epsilon } }) => {
    const meanSquare = div(rows.squares as Expr<Scalar>, toFloat(length));
    return mul(mul(x as Expr<Scalar>, rsqrt(add(meanSquare, epsilon))), weight as Expr<Scalar>);
  },
  per: 'element',
};

/**
 * x / sqrt(mean(x²) + epsilon) * weight along the last axis, [..., width] to the same. Zhang, Sennrich 2019 (arXiv
 * 1910.07467), section 4.
 *
 * Parameter: `weight` [width] starts at 1. (Gemma's stored weights are one less: add 1 when loading.)
 *
 * @throws ShapeError where the last axis of x is not `width`.
 * @example rmsNorm(device, { width: 64 })(x)
 */
export const rmsNorm = defineLayer({
  name: 'rms-norm',
  options: {
    /** The width of a row. */
    width: option.integer({ min: 1 }),
    /** Added to the mean square, so that a row of zeros is no division by 0. */
    epsilon: option.number({ min: 0, default: 1e-6 }),
  },
  make: ({ width, epsilon }, { parameter }) => {
    const weight = parameter('weight', [width], constant(1));
    return (x: Tensor): Tensor => {
      checkWidth('rms-norm', x, width);
      return rowwise('rmsNorm', formula, [x, weight], { uniforms: { epsilon } });
    };
  },
});
