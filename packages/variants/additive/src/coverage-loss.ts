// What it costs to look at one place again and again.

import { minimum, sum, type Tensor } from '@heed/tensor';

/**
 * sum_j min(a_j, coverage_j) for each batch entry: [batch, key] twice to [batch]. See, Liu, Manning 2017 (arXiv 1704.04368), section
 * 2.3, equation 12. `coverage` is the sum of the weights before this step.
 */
export const coverageLoss = (weights: Tensor, coverage: Tensor): Tensor =>
  sum(minimum(weights, coverage), { axis: -1 });
