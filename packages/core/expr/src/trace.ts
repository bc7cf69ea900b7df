// Tracing: a formula is run once, on symbols, and what it leaves is an expression.

import { ExpressionError } from './error.ts';
import { constant, input } from './infer.ts';
import { asExpr, asNode, type Expr, Graph, isExpr, type Node } from './node.ts';
import { print } from './print.ts';
import { bool, describeType, sameType, type Type } from './type.ts';
import { reachable } from './walk.ts';

/** The declaration of an input: its type and the axes it varies along. */
export interface Declared<T extends Type = Type> {
  readonly type: T;
  readonly along?: readonly string[];
}

/** Hands out the inputs of one formula; asking twice for a name gives the same expression. */
export type Declare = <T extends Type>(name: string, type: T, along?: readonly string[]) => Expr<T>;

/**
 * Runs `formula` on symbols and returns its expression. A formula may also return a plain number or boolean.
 *
 * @param where how errors name the formula: `score "additive"`.
 * @param type what the formula must give.
 * @throws ExpressionError for a result of another type, and for a condition that was built and never used: the trace
 *   of `if (lt(a, b))` or `lt(a, b) && lt(c, d)`, which JavaScript decides without asking.
 */
export function trace<T extends Type>(
  where: string,
  type: T,
  formula: (declare: Declare) => Expr<T> | number | boolean,
): Expr<T> {
  const home = new Graph();
  const result = run(where, () => formula((name, of, along) => asExpr(input(home, name, of, along))));
  const root = lift(home, where, type, result);
  const used = reachable([root]);
  const dangling = home.nodes.find((node) => node.type.element === 'bool' && !used.has(node));
  if (dangling) {
    throw new ExpressionError(
      `${where}: the condition ${print(asExpr(dangling))} was built but is not part of the result. A condition of ` +
        'expressions cannot steer JavaScript: write select(condition, then, otherwise) for if and ?:, ' +
        'and(a, b) for a && b, or(a, b) for a || b, not(a) for !a.',
    );
  }
  return asExpr<T>(root);
}

function run<R>(where: string, formula: () => R): R {
  try {
    return formula();
  } catch (problem) {
    if (problem instanceof ExpressionError)
      throw new ExpressionError(`${where}: ${problem.message}`, { cause: problem });
    throw problem;
  }
}

function lift(home: Graph, where: string, type: Type, result: unknown): Node {
  if (typeof result === 'number' && type.element !== 'bool' && type.dims.length === 0) {
    return constant(home, result, type.element);
  }
  if (typeof result === 'boolean' && sameType(type, bool)) return constant(home, result ? 1 : 0, 'bool');
  if (!isExpr(result) || !sameType(result.type, type)) {
    const got = isExpr(result)
      ? describeType(result.type)
      : result === undefined
        ? 'undefined (is a return missing?)'
        : typeof result;
    throw new ExpressionError(`${where}: expected the formula to return ${describeType(type)}, got ${got}.`);
  }
  return home.adopt(asNode(result));
}
