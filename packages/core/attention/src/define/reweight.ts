// defineReweight: a factor for each weight after normalising: dropout, Luong's Gaussian. The row is not renormalised.

import { type Expr, type Scalar, type Sizes, scalar, type Vec, vec } from '@heed/expr';
import type { Factory, Reweight } from '../part.ts';
import type { Context, Declarations, Inputs, Knobs, Params, UniformDeclarations } from './declare.ts';
import { factory } from './factory.ts';
import type { Chosen, Options } from './option.ts';

export interface ReweightContext<P extends Params, I extends Inputs, U extends UniformDeclarations>
  extends Context<P, I, U> {
  /** The query's row, of dim `queryFeature`: a factor may depend on it, as the centre of local-p attention does. */
  readonly q: Expr<Vec<'queryFeature'>>;
}

/**
 * Defines a factor for the weights. It cannot read the weight itself: weights are known only when their row is done.
 *
 * @throws ExpressionError where the formula is not one; NameError for reserved or repeated names.
 */
export function defineReweight<
  const Name extends string,
  O extends Options = {},
  S extends Sizes = {},
  P extends Params = {},
  I extends Inputs = {},
  U extends UniformDeclarations = {},
>(
  given: Declarations<Name, O, S, P, I, U> & {
    readonly factor: (context: ReweightContext<P, I, U>, options: Chosen<O>) => Expr<Scalar> | number;
  },
): Factory<Reweight, Name, Knobs<O, S, U>> {
  return factory<Reweight, Name, O, S, P, I, U>('reweight', given, (traced, options) => ({
    body: traced('', scalar, (context, symbol) => {
      const q = () => symbol('q', vec('queryFeature'), ['batch', 'head', 'query']);
      return given.factor(Object.create(context, { q: { get: q } }) as ReweightContext<P, I, U>, options);
    }),
  }));
}
