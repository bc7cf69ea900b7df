// What literals become where they meet expressions, and ints where they meet floats.

import { build, constant } from './infer.ts';
import { asNode, type Expr, type Graph, graph, isExpr, type Node } from './node.ts';

/** What an author may write for an argument. */
export type Operand = number | boolean | Expr;

/** The node of an expression. @throws ExpressionError for what only looks like one. */
export function nodeOf(one: Expr): Node {
  graph(one);
  return asNode(one);
}

/** Literals take the kind of what they meet; an int that meets a float becomes one. */
export function alike(home: Graph, given: readonly Operand[], floats: boolean): Node[] {
  // Literals alone are floats: in select(c, 1, 0) nothing asks for ints.
  const ints =
    !floats &&
    given.some(isExpr) &&
    given.every((one) =>
      typeof one === 'number' ? Number.isInteger(one) : isExpr(one) && one.type.element === 'int',
    );
  return given.map((one) => {
    if (typeof one === 'boolean') return constant(home, one ? 1 : 0, 'bool');
    if (typeof one === 'number') return constant(home, one, ints ? 'int' : 'float');
    const node = nodeOf(one);
    const promote = !ints && node.type.element === 'int' && node.type.lookups === 0;
    return promote ? build(home, 'toFloat', [node], null) : node;
  });
}
