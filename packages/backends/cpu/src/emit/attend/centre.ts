// Weights that depend on a score and a level only through c * score - level: sparsemax, entmax and their like.
//
// Then scores and levels can be counted from the row's largest score. The level, which lies within about one of it, keeps
// its full relative precision, where a level of a hundred would be known to 4e-6 only.

import { asExpr, build, graph, input, type Node, reachable } from '@heed/expr';

/** What scores are multiplied by before the level is taken from them. */
export interface Multiple {
  readonly by: 'itself' | 'product' | 'quotient';
  readonly factor: Node | null;
}

export interface Centred {
  /** The weight as a formula of `above` = c * score - level. */
  readonly weight: Node;
  readonly multiple: Multiple;
}

/** The weight so written; null where it depends on its score or level in another way. */
export function centre(weight: Node, along: (node: Node) => ReadonlySet<string>): Centred | null {
  const named = (node: Node | undefined, name: string): boolean =>
    node?.op === 'input' && node.data.name === name;
  const multipleOf = (node: Node): Multiple | null => {
    const [a, b] = node.args as readonly [Node, Node];
    const still = (one: Node): boolean => !along(one).has('key');
    if (named(node, 'score')) return { by: 'itself', factor: null };
    if (node.op === 'mul' && named(a, 'score') && still(b)) return { by: 'product', factor: b };
    if (node.op === 'mul' && named(b, 'score') && still(a)) return { by: 'product', factor: a };
    return node.op === 'div' && named(a, 'score') && still(b) ? { by: 'quotient', factor: b } : null;
  };
  const differences = [...reachable([weight])].filter(
    (node) => node.op === 'sub' && named(node.args[1], 'level'),
  );
  const [difference] = differences;
  const multiple = difference && differences.length === 1 ? multipleOf(difference.args[0] as Node) : null;
  if (!difference || !multiple) return null;
  const home = graph(asExpr(weight));
  const above = input(home, 'above', difference.type, ['query', 'key']);
  const done = new Map<Node, Node>([[difference, above]]);
  for (const node of reachable([weight])) {
    if (done.has(node)) continue;
    const args = node.args.map((arg) => done.get(arg) as Node);
    done.set(
      node,
      args.every((arg, i) => arg === node.args[i]) ? node : build(home, node.op, args, node.data),
    );
  }
  const centred = done.get(weight) as Node;
  const others = [...reachable([centred])].some((node) => named(node, 'score') || named(node, 'level'));
  return others ? null : { weight: centred, multiple };
}
