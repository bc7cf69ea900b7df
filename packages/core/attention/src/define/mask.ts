// defineMask: which keys a query may attend to. True takes part.

import { type Bool, bool, type Expr, type Sizes } from '@heed/expr';
import type { Factory, Mask } from '../part.ts';
import type { Context, Declarations, Inputs, Knobs, Params, UniformDeclarations } from './declare.ts';
import { factory } from './factory.ts';
import type { Chosen, Options } from './option.ts';

/**
 * Defines a mask by its condition on the place of a pair. Backends skip whole tiles where interval arithmetic shows
 * that the condition cannot hold, so a mask is written as a condition and never as a large negative score.
 *
 * @throws ExpressionError where the formula is not one; NameError for reserved or repeated names.
 */
export function defineMask<
  const Name extends string,
  O extends Options = {},
  S extends Sizes = {},
  P extends Params = {},
  I extends Inputs = {},
  U extends UniformDeclarations = {},
>(
  given: Declarations<Name, O, S, P, I, U> & {
    readonly allowed: (context: Context<P, I, U>, options: Chosen<O>) => Expr<Bool> | boolean;
  },
): Factory<Mask, Name, Knobs<O, S, U>> {
  return factory<Mask, Name, O, S, P, I, U>('mask', given, (traced, options) => ({
    body: traced('', bool, (context) => given.allowed(context, options)),
  }));
}
