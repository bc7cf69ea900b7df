// The errors of heed. Each message says where, what was expected, what came, and what to do.

import { HeedError } from '@heed/expr';

export { ExpressionError, HeedError } from '@heed/expr';

/** Shapes or sizes that do not fit. Shapes are written in words: `[batch, query, feature] = [2, 5, 8]`. */
export class ShapeError extends HeedError {
  override readonly name = 'ShapeError';
  readonly code = 'SHAPE';
}

/** A tensor or number of the wrong kind: a float mask, an int where a float belongs. */
export class DTypeError extends HeedError {
  override readonly name = 'DTypeError';
  readonly code = 'DTYPE';
}

/** A name that is unknown, missing, or taken. */
export class NameError extends HeedError {
  override readonly name = 'NameError';
  readonly code = 'NAME';
}

/** A value outside its range: an index beyond its axis, a negative window. */
export class ValueError extends HeedError {
  override readonly name = 'ValueError';
  readonly code = 'VALUE';
}

/** A backend that cannot: no device, an unsupported program, a failed kernel. */
export class BackendError extends HeedError {
  override readonly name: string = 'BackendError';
  readonly code: string = 'BACKEND';
}

/** Memory that cannot be had: says how much was asked, held and allowed. Everything stays usable. */
export class OutOfMemoryError extends BackendError {
  override readonly name = 'OutOfMemoryError';
  override readonly code = 'OUT_OF_MEMORY';
}

/** Something used after its end: a disposed tensor, a closed device, a tape that has been played. */
export class DisposedError extends HeedError {
  override readonly name = 'DisposedError';
  readonly code = 'DISPOSED';
}

/** A gradient that cannot be had: of something untracked, of a gradient, into a tensor that is no leaf. */
export class GradientError extends HeedError {
  override readonly name = 'GradientError';
  readonly code = 'GRADIENT';
}
