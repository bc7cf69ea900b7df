// What it costs several queries to look at the same rows.

import { initial } from '@heed/nn';
import { matmul, square, sub, sum, type Tensor } from '@heed/tensor';

/**
 * |A Aᵀ - I|² for each batch entry, A the weights [batch, query, key]: [batch]. Lin et al. 2017 (arXiv 1703.03130), section 2.2,
 * equation 8, without its coefficient.
 */
export function overlap(weights: Tensor): Tensor {
  const count = weights.shape.at(-2) as number;
  const own = initial
    .identity()
    .draw(weights.device, [count, count], { dtype: weights.dtype as 'float32', seed: () => 0 });
  return sum(square(sub(matmul(weights, weights, { transposeB: true }), own)), { axis: [-2, -1] });
}
