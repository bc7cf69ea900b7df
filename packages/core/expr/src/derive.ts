// Differentiation: reverse mode, from expression to expressions.
//
// A branch of a select that is not taken must change nothing, also where its own derivative is infinite or NaN: plain
// reverse mode would multiply the zero that comes from the select by that NaN. So every node carries, beside its
// adjoint, the condition under which any change reaches it ("live"); outside it the adjoint may be garbage. Where a
// change leaves that region (the argument is live elsewhere too, or is asked for) it is cut with select(live, change, 0).
// Within a branch nothing is guarded, and without a select nothing is added.

import { indicator, literalBy, make, plus, repeated, total } from './algebra.ts';
import { ExpressionError } from './error.ts';
import { asExpr, asNode, type Expr, graph, type Node } from './node.ts';
import { arithmeticBinary, arithmeticUnary, floatUnary } from './op.ts';
import { type Partial, partials, type Site } from './partials.ts';
import { describeType, type Scalar, sameType, scalar } from './type.ts';
import { reachable } from './walk.ts';

/** A condition; null is always true. */
type Live = Node | null;

/** A change: right where it is live, garbage elsewhere, where it counts as zero. */
interface Change {
  readonly value: Node;
  readonly live: Live;
}

/**
 * How `root` changes with each element of the expressions `wrt`, which are nodes of it (mostly inputs): one result of
 * the same type for each, and null where no change passes from it to the root. A table's result is a table of entries.
 *
 * Steps (floor, sign, comparisons), ints, bools and random numbers pass nothing on. Fixed by convention: abs and norm
 * have derivative 0 at 0; ties of `maximum` and `minimum` are shared by halves, those of `max` and `min` equally; the
 * exponent of a power of a number that is not positive gets 0. The results share structure: equal results are one object.
 *
 * Speelpenning 1980, "Compiling fast partial derivatives of functions given by algorithms".
 *
 * @throws ExpressionError where the root is not a float scalar.
 */
export function derive(root: Expr<Scalar>, wrt: readonly Expr[]): (Expr | null)[] {
  const home = graph(root);
  const top = asNode(root);
  if (!sameType(top.type, scalar)) {
    throw new ExpressionError(
      `derive: expected a scalar, got ${describeType(top.type)}. Reduce it first: sum(...), or dot(...) with the change of each element.`,
    );
  }
  const targets = wrt.map((one) => home.adopt(asNode(one)));
  const order = [...reachable([top])];
  const moving = movedBy(order, new Set(targets));
  const arriving = new Map<Node, Change[]>([[top, [{ value: literalBy(top, 1), live: null }]]]);
  const settled = new Map<Node, Change>();
  for (const node of order.reverse()) {
    const changes = arriving.get(node);
    if (!changes || !moving.has(node)) continue;
    const change = together(changes);
    settled.set(node, change);
    node.args.forEach((arg, at) => {
      const rule = partials[node.op][at] as Partial | null | undefined;
      if (!rule || !moving.has(arg)) return;
      const passed = pass(node, at, change, rule);
      const list = arriving.get(arg);
      if (list) list.push(passed);
      else arriving.set(arg, [passed]);
    });
  }
  return targets.map((target) => {
    const change = settled.get(target);
    return change ? asExpr(guarded(change.live, change.value)) : null;
  });
}

/** The nodes whose floats change when a target does. */
function movedBy(order: readonly Node[], targets: ReadonlySet<Node>): Set<Node> {
  const moved = new Set<Node>();
  for (const node of order) {
    const float = node.type.element === 'float';
    if (float && (targets.has(node) || node.args.some((arg, i) => moved.has(arg) && partials[node.op][i]))) {
      moved.add(node);
    }
  }
  return moved;
}

/** All changes that reach one node, as one. */
function together(changes: readonly Change[]): Change {
  const byLive = new Map<Live, Node>();
  for (const { value, live } of changes) {
    const known = byLive.get(live);
    byLive.set(live, known ? plus(known, value) : value);
  }
  const [first, ...others] = byLive.keys();
  if (others.length === 0) return { value: byLive.get(first as Live) as Node, live: first as Live };
  let sum: Node | undefined;
  let live: Live = null;
  let everywhere = false;
  for (const [condition, value] of byLive) {
    const opposite = condition === null ? undefined : byLive.get(negation(condition));
    if (condition === null || opposite) everywhere = true;
    else live = live ? make('or', live, condition) : condition;
    // A condition and its opposite make one select; the pair is written when its positive form comes by.
    if (opposite && condition?.op === 'not') continue;
    const term = opposite ? make('select', condition as Node, value, opposite) : guarded(condition, value);
    sum = sum ? plus(sum, term) : term;
  }
  return { value: sum as Node, live: everywhere ? null : live };
}

const elementwise: ReadonlySet<string> = new Set([
  ...arithmeticUnary,
  ...floatUnary,
  ...arithmeticBinary,
  'select',
]);
const structural: ReadonlySet<string> = new Set(['concat', 'slice', 'place', 'fill', 'spread']);

/** What the argument `at` of a node receives from the node's change. */
function pass(node: Node, at: number, { value, live: from }: Change, rule: Partial): Change {
  const arg = node.args[at] as Node;
  const by = (g: Node): Node => rule(site(node, g));
  const condition = node.op === 'select' ? branch(node, at) : null;
  const live = from && condition ? both(from, condition) : (from ?? condition);
  if (live === null) return { value: fit(by(value), arg), live };
  // A table cannot be cut afterwards.
  if (arg.type.lookups > 0 || node.type.lookups > 0)
    return { value: fit(by(guarded(live, value)), arg), live: null };
  if (live.type.dims.length === 0) return { value: fit(by(value), arg), live };
  // From here on the condition differs from element to element.
  if (elementwise.has(node.op)) {
    if (arg.type.dims.length > 0) return { value: fit(by(value), arg), live };
    return { value: total(guarded(live, fit(by(value), node))), live: isLeaf(arg) ? null : anywhere(live) };
  }
  const safe = fit(by(guarded(live, value)), arg);
  // Products with matrices mix the elements.
  if (!structural.has(node.op)) return { value: safe, live: anywhere(live) };
  // Elements are only moved about, so the conditions move the same way.
  return {
    value: safe,
    live: isLeaf(arg) ? null : make('gt', fit(by(indicator(live)), arg), literalBy(arg, 0)),
  };
}

const site = (y: Node, g: Node): Site =>
  ({ g, y, a: y.args[0] as Node, b: y.args[1] as Node, c: y.args[2] as Node }) as Site;

/** What changes nothing further: a change that was cut already needs no condition there. */
const isLeaf = (node: Node): boolean => node.args.length === 0;
const anywhere = (live: Node): Node => make('gt', total(indicator(live)), literalBy(live, 0));

/** The condition under which a select takes a branch. */
const branch = (node: Node, at: number): Node => {
  const condition = node.args[0] as Node;
  return at === 1 ? condition : negation(condition);
};
const negation = (condition: Node): Node =>
  condition.op === 'not' ? (condition.args[0] as Node) : make('not', condition);
const both = (a: Node, b: Node): Node => (a === b ? a : make('and', a, b));

/** The change where it is live, zero elsewhere. */
function guarded(live: Live, value: Node): Node {
  if (live === null) return value;
  const zero = literalBy(value, 0);
  return live.op === 'not'
    ? make('select', live.args[0] as Node, zero, value)
    : make('select', live, value, zero);
}

/** A change in the shape of what changes: repeated where it is one for all, added up where that was repeated. */
function fit(value: Node, like: Node): Node {
  const { dims } = like.type;
  if (value.type.dims.length === dims.length) return value;
  return dims.length === 0 ? total(value) : repeated(value, dims);
}
