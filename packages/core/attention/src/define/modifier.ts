// defineModifier: what is done to a score before the mask: a bias by distance, a cap, a temperature.

import { type Expr, type Scalar, type Sizes, scalar, type Vec, vec } from '@heed/expr';
import type { Factory, Modifier } from '../part.ts';
import type { Context, Declarations, Inputs, Knobs, Params, UniformDeclarations } from './declare.ts';
import { factory } from './factory.ts';
import type { Chosen, Options } from './option.ts';

export interface ModifierContext<P extends Params, I extends Inputs, U extends UniformDeclarations>
  extends Context<P, I, U> {
  readonly score: Expr<Scalar>;
  /** The query's row, of dim `queryFeature`: a bias may depend on it, as that of relative key embeddings does. */
  readonly q: Expr<Vec<'queryFeature'>>;
}

/**
 * Defines a modifier: from a score and its place to another score. Modifiers apply in the order in which they are
 * written, after the score and before the mask.
 *
 * @throws ExpressionError where the formula is not one; NameError for reserved or repeated names.
 */
export function defineModifier<
  const Name extends string,
  O extends Options = {},
  S extends Sizes = {},
  P extends Params = {},
  I extends Inputs = {},
  U extends UniformDeclarations = {},
>(
  given: Declarations<Name, O, S, P, I, U> & {
    readonly modify: (context: ModifierContext<P, I, U>, options: Chosen<O>) => Expr<Scalar> | number;
  },
): Factory<Modifier, Name, Knobs<O, S, U>> {
  return factory<Modifier, Name, O, S, P, I, U>('modifier', given, (traced, options) => ({
    body: traced('', scalar, (context, symbol) => {
      const score = symbol('score', scalar, ['batch', 'head', 'query', 'key']);
      const q = () => symbol('q', vec('queryFeature'), ['batch', 'head', 'query']);
      return given.modify(
        Object.create(context, { score: { value: score }, q: { get: q } }) as ModifierContext<P, I, U>,
        options,
      );
    }),
  }));
}
