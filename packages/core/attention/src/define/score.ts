// defineScore: the equation of a paper, from a query row and a key row to one number.

import { type Expr, type Scalar, type Sizes, scalar, type Vec, vec } from '@heed/expr';
import type { Factory, Score, Widths } from '../part.ts';
import type { Context, Declarations, Inputs, Knobs, Params, UniformDeclarations } from './declare.ts';
import { factory } from './factory.ts';
import type { Chosen, Options } from './option.ts';

type QueryDim<W extends Widths> = W extends 'shared' ? 'feature' : 'queryFeature';
type KeyDim<W extends Widths> = W extends 'shared' ? 'feature' : 'keyFeature';

/** A score sees both rows whole. */
export interface ScoreContext<
  W extends Widths,
  P extends Params,
  I extends Inputs,
  U extends UniformDeclarations,
> extends Context<P, I, U> {
  /** The query's row. */
  readonly q: Expr<Vec<QueryDim<W>>>;
  /** The key's row. */
  readonly k: Expr<Vec<KeyDim<W>>>;
}

/**
 * Defines a scoring function by its equation.
 *
 * `widths: 'shared'` (the default) gives both rows the dim `feature`; `'separate'` gives them `queryFeature` and
 * `keyFeature`, so that queries and keys may differ in width.
 *
 * @example
 * const additive = defineScore({
 *   name: 'additive',
 *   widths: 'separate',
 *   sizes: { hidden: 64 },
 *   params: { w: mat('hidden', 'queryFeature'), u: mat('hidden', 'keyFeature'), v: vec('hidden') },
 *   score: ({ q, k, params: { w, u, v } }) => dot(v, tanh(add(matvec(w, q), matvec(u, k)))),
 * });
 * additive({ hidden: 128 }); // a value
 *
 * @throws ExpressionError where the formula is not one; NameError for reserved or repeated names.
 */
export function defineScore<
  const Name extends string,
  const W extends Widths = 'shared',
  O extends Options = {},
  S extends Sizes = {},
  P extends Params = {},
  I extends Inputs = {},
  U extends UniformDeclarations = {},
>(
  given: Declarations<Name, O, S, P, I, U> & {
    readonly widths?: W;
    readonly score: (context: ScoreContext<W, P, I, U>, options: Chosen<O>) => Expr<Scalar> | number;
  },
): Factory<Score, Name, Knobs<O, S, U>> {
  const widths = given.widths ?? 'shared';
  return factory<Score, Name, O, S, P, I, U>('score', given, (traced, options) => ({
    widths,
    body: traced('', scalar, (context, symbol) => {
      const q = symbol('q', vec(widths === 'shared' ? 'feature' : 'queryFeature'), [
        'batch',
        'head',
        'query',
      ]);
      const k = symbol('k', vec(widths === 'shared' ? 'feature' : 'keyFeature'), ['batch', 'keyHead', 'key']);
      const rows = Object.create(context, { q: { value: q }, k: { value: k } }) as ScoreContext<W, P, I, U>;
      return given.score(rows, options);
    }),
  }));
}
