// The activation of DiSAN.

import { type Expr, exp, gt, type Scalar, select, sub } from '@heed/expr';

/** x above 0, exp(x) - 1 below. Clevert et al. 2016 (arXiv 1511.07289), with alpha 1. */
export const elu = (x: Expr<Scalar>) => select(gt(x, 0), x, sub(exp(x), 1));
