// defineNormalizer: how the scores of a row become weights: a weight and, for most, a level that makes them sum to one.

import { type Expr, ExpressionError, print, type Scalar, type Sizes, scalar } from '@heed/expr';
import type { Factory, Normalizer } from '../part.ts';
import type { Context, Declarations, Inputs, Knobs, Params, UniformDeclarations } from './declare.ts';
import { factory } from './factory.ts';
import type { Chosen, Options } from './option.ts';

export interface WeightContext<P extends Params, I extends Inputs, U extends UniformDeclarations>
  extends Context<P, I, U> {
  readonly score: Expr<Scalar>;
  readonly level: Expr<Scalar>;
}

export interface RangeContext<P extends Params, I extends Inputs, U extends UniformDeclarations>
  extends Context<P, I, U> {
  /** The largest score of the row. */
  readonly maximum: Expr<Scalar>;
  /** How many keys are allowed in the row. */
  readonly count: Expr<Scalar>;
}

/**
 * Defines a normalizer. `level` says how the level of a row is found: `'none'`, `'log-sum-exp'` (for the weight
 * `exp(sub(score, level))` alone), `'argmax'` (the first
 * largest score's position), or between bounds `low` and `high` as the root of "the weights sum to one", for a weight
 * that falls as the level grows. A `sink` is the score of one more key that takes weight and has no value.
 *
 * @example
 * const sparsemax = defineNormalizer({
 *   name: 'sparsemax',
 *   weight: ({ score, level }) => maximum(sub(score, level), 0),
 *   level: { low: ({ maximum }) => sub(maximum, 1), high: ({ maximum }) => maximum },
 * });
 *
 * @throws ExpressionError where a formula is not one; NameError for reserved or repeated names.
 */
export function defineNormalizer<
  const Name extends string,
  O extends Options = {},
  S extends Sizes = {},
  P extends Params = {},
  I extends Inputs = {},
  U extends UniformDeclarations = {},
>(
  given: Declarations<Name, O, S, P, I, U> & {
    readonly weight: (context: WeightContext<P, I, U>, options: Chosen<O>) => Expr<Scalar> | number;
    readonly level:
      | 'none'
      | 'log-sum-exp'
      | 'argmax'
      | {
          readonly low: (context: RangeContext<P, I, U>, options: Chosen<O>) => Expr<Scalar> | number;
          readonly high: (context: RangeContext<P, I, U>, options: Chosen<O>) => Expr<Scalar> | number;
        };
    readonly sink?: (context: Context<P, I, U>, options: Chosen<O>) => Expr<Scalar> | number | null;
  },
): Factory<Normalizer, Name, Knobs<O, S, U>> {
  return factory<Normalizer, Name, O, S, P, I, U>('normalizer', given, (traced, options) => {
    const { level } = given;
    const bound = (which: 'low' | 'high', from: Exclude<typeof level, string>) =>
      traced(`, ${which} level`, scalar, (context, symbol) => {
        const row = ['batch', 'head', 'query'];
        const range = Object.create(context, {
          maximum: { value: symbol('maximum', scalar, row) },
          count: { value: symbol('count', scalar, row) },
        }) as RangeContext<P, I, U>;
        return from[which](range, options);
      });
    let withoutSink = given.sink === undefined;
    const sink = traced(', sink', scalar, (context) => {
      const score = given.sink?.(context, options) ?? null;
      withoutSink = score === null;
      return score ?? 0;
    });
    const weight = traced(', weight', scalar, (context, symbol) => {
      const of = Object.create(context, {
        score: { value: symbol('score', scalar, ['batch', 'head', 'query', 'key']) },
        level: { value: symbol('level', scalar, ['batch', 'head', 'query']) },
      }) as WeightContext<P, I, U>;
      return given.weight(of, options);
    });
    if (level === 'log-sum-exp' && print(weight) !== 'exp(sub(score, level))') {
      throw new ExpressionError(
        `normalizer "${given.name}": a level by log-sum-exp makes the weights exp(sub(score, level)) sum to one, and no others; ` +
          `got ${print(weight)}. Find the level of another weight as a root: level: { low, high }.`,
      );
    }
    return {
      form: {
        weight,
        level:
          typeof level === 'string'
            ? { by: level }
            : { by: 'root', low: bound('low', level), high: bound('high', level) },
        sink: withoutSink ? null : sink,
      },
    };
  });
}
