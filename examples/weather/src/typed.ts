// The typed score: text from a person, read as arithmetic. Nothing in it can run: a name is a row, a place, the
// bandwidth or a function of the formula language, and anything else is an error that points at it.

import { defineScore, formula } from 'heed';

/** @throws ExpressionError with line, column and the place marked, or for a formula that is not one number. */
export const typedScore = (text: string) =>
  defineScore({
    name: 'typed',
    uniforms: { bandwidth: 1 },
    score: ({ q, k, query, key, uniforms: { bandwidth } }) => {
      const parsed = formula.parse(text, { q, k, query, key, bandwidth });
      // Counting steps gives an int, which is a number all the same; that it is one number is checked by the trace.
      return parsed.type.element === 'int'
        ? formula.toFloat(parsed as formula.Expr<formula.Index>)
        : (parsed as formula.Expr<formula.Scalar>);
    },
  })();
