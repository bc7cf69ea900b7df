// Staging: what does not depend on both of two axes is computed once for each row of one of them, before the loop over
// pairs.

import { ExpressionError } from './error.ts';
import { expose } from './expose.ts';
import { build, input } from './infer.ts';
import { asExpr, asNode, type Expr, graph, type Node } from './node.ts';
import type { Op } from './op.ts';
import { print } from './print.ts';
import { type Side, Sides } from './side.ts';
import type { Sizes } from './type.ts';
import { inputsOf, reachable } from './walk.ts';

/** A row computed before the loop: `body`, once for each position along `along`. Its type is the body's. */
export interface Hoisted {
  readonly name: string;
  readonly along: readonly string[];
  readonly body: Expr;
}

export interface Staged {
  /** What is left for each pair. It reads hoisted rows as inputs of their names. */
  readonly roots: Readonly<Record<string, Expr>>;
  /** In the order of computing: a body may read rows that stand before it. */
  readonly hoisted: readonly Hoisted[];
  /** What was done and why, a sentence each. */
  readonly notes: readonly string[];
}

export interface StageOptions {
  /** The two axes. An input lies on the side of the axis that its `along` names. */
  readonly pair: readonly [string, string];
  /**
   * The axes that rows of the first and of the second side may vary along; any, if left out. What also varies along
   * another is not hoisted as a whole: only its parts are.
   */
  readonly sides?: readonly [readonly string[], readonly string[]];
  /** The axis of the pair that has fewer rows: matrices are multiplied there where there is a choice. */
  readonly fewer?: string;
  /** Names that hoisted rows must not take, besides those of the roots' inputs. */
  readonly taken?: readonly string[];
  /** The sizes of dims; under the names of the axes, if known, the numbers of rows. They weigh that choice. */
  readonly sizes?: Sizes;
}

/**
 * Writes expressions of pairs as less work for each pair: the largest parts that lie on one side, and are worth it,
 * become rows that are computed first, and stand in the roots as inputs (`left$0`, `right$0`, `shared$0`). Several roots
 * share their rows. A dot of vectors of both sides becomes a dot of two inputs, which is an entry of a matrix product.
 *
 * Worth it is a reduction, a product with a matrix, a float function or a division, and a vector that would be computed
 * element by element for each pair. Cheap scalars (sums of indices) are computed again; ints and bools never become
 * rows, and neither does what reads no input (it is known once sizes are).
 *
 * The staged expression is equal in real arithmetic; in floats, sums are taken in another order. Staging twice changes
 * nothing more.
 *
 * @throws ExpressionError where `fewer` is not one of the pair.
 */
export function stage(roots: Readonly<Record<string, Expr>>, options: StageOptions): Staged {
  const { pair, fewer, sizes = {} } = options;
  if (fewer !== undefined && !pair.includes(fewer)) {
    throw new ExpressionError(`stage: expected fewer to be "${pair[0]}" or "${pair[1]}", got "${fewer}".`);
  }
  const sides = new Sides(pair, options.sides);
  const notes = new Set<string>();
  const fewerSide = fewer === undefined ? 0 : ((pair.indexOf(fewer) + 1) as Side);
  const names = Object.keys(roots);
  const exposed = expose(Object.values(roots), { sides, fewer: fewerSide, sizes }, (sentence) =>
    notes.add(sentence),
  ).map(asNode);
  const chosen = choose(exposed, sides);
  const { results, hoisted } = hoist(exposed, chosen, sides, options);
  for (const { name, body } of hoisted) notes.add(sentence(name, asNode(body), sides, pair));
  return {
    roots: Object.fromEntries(names.map((name, i) => [name, results[i] as Expr])),
    hoisted,
    notes: [...notes],
  };
}

/** Floats that cost more than reading a stored row does. */
const costly: ReadonlySet<Op> = new Set<Op>([
  'exp',
  'log',
  'log1p',
  'tanh',
  'sigmoid',
  'sqrt',
  'rsqrt',
  'erf',
  'sin',
  'cos',
  'div',
  'pow',
  'mod',
  'floorDiv',
  'dot',
  'sum',
  'max',
  'min',
  'norm',
  'matvec',
  'vecmat',
  'outer',
  'random',
]);
/** Vectors and matrices that are there without computing an element. */
const views: ReadonlySet<Op> = new Set<Op>(['input', 'fill', 'at', 'place', 'slice']);

/** The nodes that become rows. */
function choose(roots: readonly Node[], sides: Sides): Set<Node> {
  const nodes = reachable(roots);
  const reads = new Set<Node>();
  const costs = new Set<Node>();
  for (const node of nodes) {
    const some = (set: ReadonlySet<Node>): boolean => node.args.some((arg) => set.has(arg));
    if (node.op === 'input' || some(reads)) reads.add(node);
    if (!reads.has(node)) continue;
    // x / 2 is a product once constants are folded.
    const divides = node.op === 'div' && !reads.has(node.args[1] as Node);
    const itself = node.type.element === 'float' && costly.has(node.op) && !divides;
    // What is dear on neither side is a row of its own, and makes nothing else dear.
    const inherits = node.args.some((arg) => costs.has(arg) && (sides.of(arg) !== 0 || sides.of(node) === 0));
    if (itself || inherits) costs.add(node);
  }
  const chosen = new Set<Node>();
  /** Takes the largest parts of a node that are worth it. */
  const consider = (from: Node, worth: (node: Node) => boolean): void => {
    const stack = [from];
    const seen = new Set<Node>();
    for (let node = stack.pop(); node; node = stack.pop()) {
      if (seen.has(node) || node.op === 'input' || !reads.has(node)) continue;
      seen.add(node);
      if (node.type.element === 'float' && node.type.lookups === 0 && worth(node)) chosen.add(node);
      else stack.push(...node.args);
    }
  };
  const inLoop = (node: Node): boolean =>
    isView(node) ? false : costs.has(node) || node.type.dims.length > 0;
  const asFactor = (node: Node): boolean => node.type.dims.length > 0 || inLoop(node);

  const dear = (node: Node): boolean => !isView(node) && (costs.has(node) || node.type.dims.length === 2);

  for (const root of roots) if (!sides.isPair(root)) consider(root, inLoop);
  for (const node of nodes) {
    if (!sides.isPair(node)) continue;
    // Both operands become inputs: then the dot is an entry of a matrix product.
    const parted = node.op === 'dot' && node.args.every((arg) => !sides.isPair(arg));
    for (const arg of node.args) if (!sides.isPair(arg)) consider(arg, parted ? asFactor : inLoop);
  }
  // What no axis changes is not computed again for each row.
  for (const node of reachable([...chosen])) {
    if (sides.of(node) === 0) continue;
    for (const arg of node.args) if (sides.of(arg) === 0) consider(arg, dear);
  }
  return chosen;
}

function isView(node: Node): boolean {
  if (node.type.dims.length === 0) return false;
  for (let one: Node | undefined = node; one; one = one.args[0]) {
    if (one.type.dims.length === 0) return true;
    if (!views.has(one.op)) return false;
  }
  return true;
}

/** Replaces the chosen nodes by inputs, in the roots and in each other. */
function hoist(
  roots: readonly Node[],
  chosen: ReadonlySet<Node>,
  sides: Sides,
  { pair, taken: names = [] }: StageOptions,
) {
  const first = roots[0];
  const hoisted: Hoisted[] = [];
  if (!first) return { results: [], hoisted };
  const home = graph(first);
  const taken = new Set([...names, ...inputsOf(roots).map(({ data }) => data.name)]);
  const fresh = (side: Side): string => {
    const base = ['shared', pair[0], pair[1]][side] as string;
    for (let n = 0; ; n++) {
      const name = `${base}$${n}`;
      if (taken.has(name)) continue;
      taken.add(name);
      return name;
    }
  };
  const done = new Map<Node, Node>();
  for (const node of reachable(roots)) {
    const args = node.args.map((arg) => done.get(arg) as Node);
    const body = args.every((arg, i) => arg === node.args[i]) ? node : build(home, node.op, args, node.data);
    if (!chosen.has(node)) {
      done.set(node, body);
      continue;
    }
    const name = fresh(sides.of(node));
    const along = sides.along(node);
    hoisted.push({ name, along, body: asExpr(body) });
    done.set(node, input(home, name, node.type, along));
  }
  return { results: roots.map((root) => asExpr(done.get(root) as Node)), hoisted };
}

function sentence(name: string, body: Node, sides: Sides, pair: readonly [string, string]): string {
  const side = sides.of(body);
  return side === 0
    ? `${print(asExpr(body))} depends on neither ${pair[0]} nor ${pair[1]}: computed once as ${name}`
    : `${print(asExpr(body))} depends on ${sides.axis(side as 1 | 2)} alone: computed once for each row as ${name}`;
}
