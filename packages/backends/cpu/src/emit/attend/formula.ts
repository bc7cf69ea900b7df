// The formulas of an attention made ready for tiles: what each node varies along, what is computed once for each row of
// queries, and which reductions are done for whole tiles before the rest is done lane by lane.

import {
  asExpr,
  asNode,
  build,
  constant,
  type Expr,
  type Graph,
  graph,
  input,
  type Node,
  type NodeOf,
  reachable,
  rebuild,
} from '@heed/expr';
import type { AttendProgram } from '@heed/tensor';
import { type Centred, centre } from './centre.ts';

export { axisNames, lengthNames } from '@heed/tensor';

/** Places that vary, and along what; lengths vary along nothing. */
export const varying: Readonly<Record<string, readonly string[]>> = {
  batch: ['batch'],
  head: ['head'],
  keyHead: ['keyHead'],
  query: ['query'],
  key: ['key'],
  // What one stage hands to the next is known in the loop only.
  score: ['query', 'key'],
  level: ['query', 'key'],
  above: ['query', 'key'],
  maximum: ['query', 'key'],
  count: ['query', 'key'],
};

/** A formula with no reduction over pairs that is done for whole tiles: these are its terms, named as inputs of it. */
export interface Split {
  /** What is left for each pair. */
  readonly rest: Node;
  readonly terms: readonly Term[];
}

/** One number for each pair of a tile. */
export interface Term {
  readonly name: string;
  readonly node: Reduction;
  /** The rows of a matrix product, by the names of the inputs; null for any other reduction. */
  readonly product: { readonly query: string; readonly key: string } | null;
}

export type Reduction = NodeOf<'dot'> | NodeOf<'sum'> | NodeOf<'max'> | NodeOf<'min'> | NodeOf<'norm'>;

/** A scalar that varies along no key: computed once for each query, read as an input of this name. */
export interface Constant {
  readonly name: string;
  readonly node: Node;
}

/** A row that the cheaper score reads, computed from inputs. */
export interface Row {
  readonly name: string;
  readonly body: Node;
  readonly along: readonly string[];
}

export interface Formulas {
  readonly score: Split;
  readonly cheaper: {
    readonly score: Split;
    readonly rows: readonly Row[];
    readonly guards: readonly { readonly input: string; readonly limit: number }[];
  } | null;
  /** Null where everything is allowed. */
  readonly mask: Node | null;
  /** The mask as it was given, for its bounds. */
  readonly bounded: Node | null;
  /** Null where it is one. */
  readonly reweight: Node | null;
  readonly weight: Node;
  /** The weight of a level by root, where it can be counted from the largest score. */
  readonly centred: Centred | null;
  readonly low: Node | null;
  readonly high: Node | null;
  readonly sink: Node | null;
  readonly constants: readonly Constant[];
  /** The axes that a node varies along. */
  along(node: Node): ReadonlySet<string>;
}

const isReduction = (node: Node): node is Reduction =>
  node.op === 'dot' || node.op === 'sum' || node.op === 'max' || node.op === 'min' || node.op === 'norm';

export const isScalar = (node: Node): boolean => node.type.dims.length === 0 && node.type.lookups === 0;

export const isLiteral = (node: Node, value: number): boolean =>
  node.op === 'const' && node.data.value === value;

/** What nodes vary along, remembered. */
function followAxes(): (node: Node) => ReadonlySet<string> {
  const known = new Map<Node, ReadonlySet<string>>();
  return (root) => {
    if (!known.has(root)) {
      for (const node of reachable([root])) {
        if (known.has(node)) continue;
        const axes = new Set<string>(node.op === 'input' ? node.data.along : []);
        for (const arg of node.args) for (const axis of known.get(arg) as ReadonlySet<string>) axes.add(axis);
        known.set(node, axes);
      }
    }
    return known.get(root) as ReadonlySet<string>;
  };
}

export function analyse(program: AttendProgram): Formulas {
  const { normalizer, cheaper, inputs } = program;
  const bounds = normalizer.level.by === 'root' ? normalizer.level : null;
  const rowAlong = new Map(cheaper?.rows.map(({ name, along }) => [name, along]));
  const given: Expr[] = [
    program.score,
    program.mask,
    program.reweight,
    normalizer.weight,
    bounds?.low ?? program.score,
    bounds?.high ?? program.score,
    normalizer.sink ?? program.score,
    (cheaper?.roots.score as Expr | undefined) ?? program.score,
    ...(cheaper?.rows.map(({ body }) => body) ?? []),
  ];
  // Inputs say what they really vary along: formulas may have been written without.
  const along = (name: string): readonly string[] =>
    inputs[name]?.along ?? rowAlong.get(name) ?? varying[name] ?? [];
  const roots = rebuild(given, (node, home) =>
    node.op === 'input' ? input(home, node.data.name, node.type, along(node.data.name)) : node,
  ).map((root) => asNode(root as Expr));
  const axesOf = followAxes();
  const terms = new Namer('term');
  const splitter = (root: Node): Split => split(root, axesOf, terms);
  const hoister = new Hoister(axesOf);
  const [score, mask, reweight, weight, low, high, sink, cheap, ...bodies] = roots as [
    Node,
    Node,
    Node,
    Node,
    Node,
    Node,
    Node,
    Node,
    ...Node[],
  ];
  const hoisted = (one: Split): Split => ({
    rest: hoister.hoist(one.rest),
    terms: one.terms.map((term) => ({ ...term, node: hoister.within(term.node) as Reduction })),
  });
  const hoistedWeight = hoister.hoist(weight);
  return {
    score: hoisted(splitter(score)),
    cheaper: cheaper?.roots.score
      ? {
          score: hoisted(splitter(cheap)),
          rows: cheaper.rows.map(({ name, along: axes }, i) => ({
            name,
            along: axes,
            body: bodies[i] as Node,
          })),
          guards: cheaper.guards,
        }
      : null,
    mask: isLiteral(mask, 1) ? null : hoister.hoist(mask),
    bounded: isLiteral(mask, 1) ? null : mask,
    reweight: isLiteral(reweight, 1) ? null : hoister.hoist(reweight),
    weight: hoistedWeight,
    centred: bounds && centre(hoistedWeight, axesOf),
    low: bounds && hoister.hoist(low),
    high: bounds && hoister.hoist(high),
    sink: normalizer.sink && sink,
    constants: hoister.constants,
    along: axesOf,
  };
}

class Namer {
  readonly #stem: string;
  #count = 0;
  constructor(stem: string) {
    this.#stem = stem;
  }
  next(): string {
    return `${this.#stem}$${this.#count++}`;
  }
}

/** Takes out of a formula the reductions that have a number for each pair. */
function split(root: Node, axesOf: (node: Node) => ReadonlySet<string>, names: Namer): Split {
  const terms: Term[] = [];
  const [rest] = rebuild([asExpr(root)], (node, home) => {
    if (!isReduction(node) || !isPair(axesOf(node))) return node;
    const name = names.next();
    terms.push({ name, node, product: productOf(node, axesOf) });
    return input(home, name, node.type, ['query', 'key']);
  });
  return { rest: asNode(rest as Expr), terms };
}

const isPair = (axes: ReadonlySet<string>): boolean => axes.has('query') && axes.has('key');

/** The rows whose products a dot sums up, one of queries and one of keys. */
function productOf(node: Reduction, axesOf: (node: Node) => ReadonlySet<string>): Term['product'] {
  const [a, b] = node.args as readonly [Node, Node];
  if (node.op !== 'dot' || a.op !== 'input' || b.op !== 'input') return null;
  const side = (one: Node): 'query' | 'key' | null => {
    const axes = axesOf(one);
    return isPair(axes) ? null : axes.has('query') ? 'query' : axes.has('key') ? 'key' : null;
  };
  const [left, right] = [side(a), side(b)];
  if (left === 'query' && right === 'key') return { query: a.data.name, key: b.data.name };
  return left === 'key' && right === 'query' ? { query: b.data.name, key: a.data.name } : null;
}

/** Finds the largest scalars that vary along no key, and puts inputs in their place. */
class Hoister {
  readonly constants: Constant[] = [];
  readonly #axesOf: (node: Node) => ReadonlySet<string>;
  readonly #known = new Map<Node, string>();
  readonly #names = new Namer('row');

  constructor(axesOf: (node: Node) => ReadonlySet<string>) {
    this.#axesOf = axesOf;
  }

  hoist(root: Node): Node {
    return this.#replace(this.#multiplied(root), (node) => this.#isWorth(node));
  }

  /** The same below a node that stays what it is. */
  within(root: Node): Node {
    return this.#replace(this.#multiplied(root), (node, top) => node !== top && this.#isWorth(node));
  }

  /** Divisions by what varies along no key as products with its inverse: one division for each query. */
  #multiplied(root: Node): Node {
    const [result] = rebuild([asExpr(root)], (node, home) => {
      const [a, b] = node.args as readonly [Node, Node];
      if (node.op !== 'div' || node.type.element !== 'float' || b.op === 'const' || !isScalar(b)) return node;
      if (this.#axesOf(b).has('key') || !this.#axesOf(a).has('key')) return node;
      const one = constant(home, 1);
      return build(home, 'mul', [a, build(home, 'div', [one, b], null)], null);
    });
    return asNode(result as Expr);
  }

  #isWorth(node: Node): boolean {
    return isScalar(node) && node.op !== 'const' && node.op !== 'input' && !this.#axesOf(node).has('key');
  }

  #replace(root: Node, worth: (node: Node, root: Node) => boolean): Node {
    const chosen = new Set<Node>();
    const seen = new Set<Node>();
    const stack = [root];
    for (let node = stack.pop(); node; node = stack.pop()) {
      if (seen.has(node)) continue;
      seen.add(node);
      if (worth(node, root)) chosen.add(node);
      else stack.push(...node.args);
    }
    if (chosen.size === 0) return root;
    return replaceNodes(root, (node, home) => (chosen.has(node) ? this.#constant(node, home) : null));
  }

  #constant(node: Node, home: Graph): Node {
    let name = this.#known.get(node);
    if (!name) {
      name = this.#names.next();
      this.#known.set(node, name);
      this.constants.push({ name, node });
    }
    return input(home, name, node.type, ['query']);
  }
}

/** The formula with some of its nodes, as they stand in it, replaced; nothing below these is looked at. */
function replaceNodes(root: Node, by: (node: Node, home: Graph) => Node | null): Node {
  const home = graph(asExpr(root));
  const done = new Map<Node, Node>();
  for (const node of reachable([root])) {
    const args = node.args.map((arg) => done.get(arg) as Node);
    const kept = args.every((arg, i) => arg === node.args[i]);
    done.set(node, by(node, home) ?? (kept ? node : build(home, node.op, args, node.data)));
  }
  return done.get(root) as Node;
}

/** The names of the inputs that nodes read. */
export function readsOf(...roots: readonly (Node | null)[]): Set<string> {
  const names = new Set<string>();
  for (const node of reachable(roots.filter((root) => root !== null)))
    if (node.op === 'input') names.add(node.data.name);
  return names;
}
