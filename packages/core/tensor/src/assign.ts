// Giving a leaf another value: what an optimizer does. Memory is exchanged, never overwritten.

import { DTypeError, GradientError, ShapeError } from './errors.ts';
import { copy, packed } from './ops/copy.ts';
import { unscoped } from './scope.ts';
import { describeShape, sameShape } from './shape.ts';
import { withoutGradients } from './tape/recording.ts';
import type { Tensor } from './tensor.ts';

/** See `Tensor.assign`. */
export function assign(to: Tensor, value: Tensor): void {
  const { device, life } = to.use('assign');
  value.use('assign');
  if (life.edge?.kind === 'node') {
    throw new GradientError(
      `assign: expected a leaf, got ${to}, the result of recorded operations. Assign to the parameter itself.`,
    );
  }
  if (value.dtype !== to.dtype) {
    throw new DTypeError(
      `assign: expected ${to.dtype}, got ${value.dtype}. Convert it with cast(value, '${to.dtype}').`,
    );
  }
  if (!sameShape(to.shape, value.shape)) {
    throw new ShapeError(
      `assign: expected ${describeShape(to.shape)}, got ${describeShape(value.shape)}; a tensor keeps its shape.`,
    );
  }
  if (!to.contiguous || to.offset !== 0) {
    throw new ShapeError(
      'assign: expected a tensor that owns its memory, got a view. Assign to the tensor it is a view of.',
    );
  }
  const source = withoutGradients(device, () =>
    unscoped(device, () => (value.contiguous && value.offset !== 0 ? copy(value) : packed(value))),
  );
  const old = life.storage;
  life.storage = source.life.storage.retain();
  source.dispose();
  old.release();
}
