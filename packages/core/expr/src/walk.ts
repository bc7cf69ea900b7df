// Going through a graph: what is reachable, in an order where arguments come first, and rebuilding with changes.

import { ExpressionError } from './error.ts';
import { build } from './infer.ts';
import { asExpr, asNode, type Expr, type Graph, graph, type Node, type NodeOf } from './node.ts';
import { describeType, sameType, type Type } from './type.ts';

/** Every node that the roots are made of, arguments before what uses them. */
export function reachable(roots: readonly Node[]): Set<Node> {
  const seen = new Set<Node>();
  // An explicit stack: formulas made by passes can be deeper than the call stack.
  const stack = [...roots].reverse();
  while (stack.length > 0) {
    const node = stack[stack.length - 1] as Node;
    const next = node.args.find((arg) => !seen.has(arg));
    if (seen.has(node) || !next) {
      seen.add(node);
      stack.pop();
    } else {
      stack.push(next);
    }
  }
  return seen;
}

/** Every input that the roots read, each name once, in the order of first use. */
export function inputsOf(roots: readonly Expr[]): NodeOf<'input'>[] {
  return [...reachable(roots.map(asNode))].filter((node) => node.op === 'input');
}

/**
 * Builds the roots anew in the graph of the first, arguments first. `change` sees each node with its arguments already
 * rebuilt and returns what stands in its place: the node itself to keep it.
 */
export function rebuild(roots: readonly Expr[], change: (node: Node, home: Graph) => Node): Expr<never>[] {
  const first = roots[0];
  if (!first) return [];
  const home = graph(first);
  const done = new Map<Node, Node>();
  for (const node of reachable(roots.map((root) => home.adopt(asNode(root))))) {
    const args = node.args.map((arg) => done.get(arg) as Node);
    const kept = args.every((arg, i) => arg === node.args[i]) ? node : build(home, node.op, args, node.data);
    done.set(node, change(kept, home));
  }
  return roots.map((root) => asExpr<never>(done.get(home.adopt(asNode(root))) as Node));
}

/** The expression with inputs replaced by expressions of the same type; an input that `by` does not name stays. */
export function substitute<T extends Type>(root: Expr<T>, by: Readonly<Record<string, Expr>>): Expr<T> {
  const [result] = rebuild([root], (node, home) => {
    const named = node.op === 'input' && Object.hasOwn(by, node.data.name);
    const replacement = named ? by[node.data.name] : undefined;
    if (!replacement) return node;
    if (!sameType(node.type, replacement.type)) {
      throw new ExpressionError(
        `substitute: input "${(node as NodeOf<'input'>).data.name}" is ${describeType(node.type)}, ` +
          `its replacement is ${describeType(replacement.type)}.`,
      );
    }
    return home.adopt(asNode(replacement));
  });
  return result as Expr<T>;
}
