// The root of every error that heed raises, and the one that expressions raise.

/** Base of all errors of heed. `code` is stable; the message says where, what was expected, what came, what to do. */
export abstract class HeedError extends Error {
  abstract readonly code: string;
}

/** An expression written wrongly, or asked of a pass that cannot answer. */
export class ExpressionError extends HeedError {
  override readonly name = 'ExpressionError';
  readonly code = 'EXPRESSION';
}
