// A matrix product and a bias.

import { option } from '@heed/attention';
import { add, matmul, ShapeError, type Tensor } from '@heed/tensor';
import { defineLayer } from '../define/define-layer.ts';
import { initialOption } from '../define/initial-option.ts';
import { constant } from '../initial/constant.ts';
import { glorotUniform } from '../initial/glorot.ts';

/**
 * x Wᵀ + b along the last axis: [..., in] to [..., out].
 *
 * Parameters: `weight` [out, in], as in PyTorch (a kernel from Keras is transposed first), starts Glorot uniform; `bias`
 * [out] starts at 0.
 *
 * @throws ShapeError where the last axis of x is not `in`.
 * @example linear(device, { in: 64, out: 32, seed: 1 })(x)
 */
export const linear = defineLayer({
  name: 'linear',
  options: {
    /** The width of what it is given. */
    in: option.integer({ min: 1 }),
    /** The width of what it gives. */
    out: option.integer({ min: 1 }),
    /** Whether a trained vector is added. */
    bias: option.boolean({ default: true }),
    /** How the weight starts: `initial.glorotUniform()` if left out. */
    initial: initialOption,
  },
  make: (options, { parameter }) => {
    const weight = parameter('weight', [options.out, options.in], options.initial ?? glorotUniform());
    const bias = options.bias ? parameter('bias', [options.out], constant(0)) : null;
    return (x: Tensor): Tensor => {
      if (x.shape.at(-1) !== options.in) {
        throw new ShapeError(
          `linear: expected [..., in] = [..., ${options.in}], got [${x.shape.join(', ')}].`,
        );
      }
      const out = matmul(x, weight, { transposeB: true });
      return bias ? add(out, bias) : out;
    };
  },
});
