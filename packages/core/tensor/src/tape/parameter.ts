// Leaves: tensors that gradients accumulate in.

import { DTypeError, GradientError } from '../errors.ts';
import { isFloat } from '../promote.ts';
import type { Tensor } from '../tensor.ts';

/**
 * Marks a tensor as one to differentiate by, and returns it: after `loss.backward()` its `gradient` is there.
 *
 * @throws DTypeError for ints and bools, which have no gradients; GradientError for the result of recorded operations.
 */
export function parameter<T extends Tensor>(tensor: T): T {
  tensor.use('parameter');
  if (tensor.life.edge?.kind === 'node') {
    throw new GradientError(
      `parameter: expected a leaf, got ${tensor}, the result of recorded operations. Pass tensor.detach().`,
    );
  }
  return track(tensor);
}

/** As `parameter`, for tensors known to be no part of a graph. */
export function track<T extends Tensor>(tensor: T): T {
  if (!isFloat(tensor.dtype))
    throw new DTypeError(
      `parameter: expected floats, got ${tensor}. Convert it with cast(tensor, 'float32').`,
    );
  tensor.life.edge = { kind: 'leaf', life: tensor.life };
  return tensor;
}
