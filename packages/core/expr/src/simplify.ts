// Simplifying: literals computed, and identities applied until none is left. Nothing here changes a value but in the
// sign of a zero.

import { arithmeticRules } from './arithmetic-rules.ts';
import { evaluate } from './evaluate.ts';
import { logicRules } from './logic-rules.ts';
import { asExpr, type Expr, graph, type Node, type NodeOf } from './node.ts';
import {
  arithmeticBinary,
  arithmeticUnary,
  comparisons,
  floatUnary,
  logicalBinary,
  type Op,
  ops,
} from './op.ts';
import { Maker, type Rules } from './rule.ts';
import { onceForAll, shapeRules } from './shape-rules.ts';
import { type Scalar, type Sizes, sameType, type Type } from './type.ts';
import { rebuild } from './walk.ts';

export interface SimplifyOptions {
  /** Sizes of dims that are known: `size` becomes a literal, and slices find the part they cut. */
  readonly sizes?: Sizes;
  /** Told of every step: the reason, and what it put in place of what. */
  readonly because?: (reason: string, before: Expr, after: Expr) => void;
}

const rules: { readonly [O in Op]: Rules<O> } = { ...arithmeticRules, ...logicRules, ...shapeRules };

const elementwise: ReadonlySet<Op> = new Set<Op>([
  ...arithmeticUnary,
  ...floatUnary,
  ...arithmeticBinary,
  ...comparisons,
  ...logicalBinary,
  'not',
  'toFloat',
  'toInt',
  'select',
]);

/**
 * An expression of the same value with as many operations or fewer: constants folded, sizes filled in where known, and
 * the identities of the tables `arithmeticRules`, `logicRules`, `shapeRules`, each exact for NaN, the infinities and
 * every float up to the sign of zero. An op on a repeated scalar moves before the repeating; where the repeated scalar
 * has other uses too, that is one operation more.
 */
export function simplify<T extends Type>(root: Expr<T>, options: SimplifyOptions = {}): Expr<T> {
  const make = new Maker(graph(root), options.sizes ?? {});
  let now: Expr<T> = root;
  // What a step makes may be simpler still in its inner parts: those are met in the next round.
  for (let before: Expr<T> | undefined; before !== now; ) {
    before = now;
    now = rebuild([now], (node) => settled(node, make, options))[0] as Expr<T>;
  }
  return now;
}

function settled(node: Node, make: Maker, { because }: SimplifyOptions): Node {
  let now = node;
  for (let next = step(now, make); next; next = step(now, make)) {
    because?.(next.reason, asExpr<Type>(now), asExpr<Type>(next.after));
    now = next.after;
  }
  return now;
}

type Named = readonly [reason: string, rewrite: (node: NodeOf<never>, make: Maker) => Node | undefined];
const tried: ReadonlyMap<Op, readonly Named[]> = new Map(
  ops.map((op) => [op, Object.entries(rules[op] as Rules<never>)]),
);

/** The first rule that applies. */
function step(node: Node, make: Maker): { reason: string; after: Node } | undefined {
  const literal = folded(node, make);
  if (literal) return { reason: 'computed from literals', after: literal };
  for (const [reason, rewrite] of tried.get(node.op) as readonly Named[]) {
    const after = rewrite(node as NodeOf<never>, make);
    // What a scalar meets gives the result its shape: without it a rule would change the type.
    if (after && sameType(after.type, node.type)) return { reason, after };
  }
  const after = onceForAll(node, elementwise, make);
  return after && { reason: 'once for all elements', after };
}

function folded(node: Node, make: Maker): Node | undefined {
  const literal = node.args.length > 0 && node.args.every(({ op }) => op === 'const');
  if (!literal || node.type.dims.length > 0 || node.type.lookups > 0) return undefined;
  return make.literal(Number(evaluate(asExpr<Scalar>(node))), node.type);
}
