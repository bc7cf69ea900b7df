// The formulas of an attention, and what each of them varies along.

import { asNode, type Expr, type Node, reachable } from '@heed/expr';
import type { AttendProgram, Axis } from '@heed/tensor';
import { handed, isAxis } from './axes.ts';

export const isScalar = (node: Node): boolean => node.type.dims.length === 0 && node.type.lookups === 0;

export const isLiteral = (expr: Expr, value: number): boolean => {
  const node = asNode(expr);
  return node.op === 'const' && node.data.value === value;
};

/** The names of the inputs, places and uniforms that expressions read. */
export function readsOf(...roots: readonly Expr[]): Set<string> {
  const names = new Set<string>();
  for (const node of reachable(roots.map(asNode))) if (node.op === 'input') names.add(node.data.name);
  return names;
}

/** What nodes vary along, remembered. What one stage hands to the next varies along everything. */
export class Axes {
  readonly #alongOf: (name: string) => readonly Axis[] | undefined;
  readonly #known = new Map<Node, ReadonlySet<Axis>>();

  constructor(alongOf: (name: string) => readonly Axis[] | undefined) {
    this.#alongOf = alongOf;
  }

  /** The axes that an input, place or uniform varies along. */
  named(name: string): readonly Axis[] {
    if (isAxis(name)) return [name];
    if (handed.has(name)) return ['batch', 'head', 'query', 'key'];
    return this.#alongOf(name) ?? [];
  }

  of(root: Node): ReadonlySet<Axis> {
    for (const node of reachable([root])) {
      if (this.#known.has(node)) continue;
      const axes = new Set<Axis>(node.op === 'input' ? this.named(node.data.name) : []);
      for (const arg of node.args) for (const axis of this.#known.get(arg) ?? []) axes.add(axis);
      this.#known.set(node, axes);
    }
    return this.#known.get(root) as ReadonlySet<Axis>;
  }

  /** Whether it varies along the axis. */
  varies(root: Node, axis: Axis): boolean {
    return this.of(root).has(axis);
  }
}

/** The largest scalars within the roots that vary along no key: what is computed once for each row, ahead of the keys. */
export function rowScalars(roots: readonly Expr[], axes: Axes): Node[] {
  const found = new Set<Node>();
  const seen = new Set<Node>();
  const stack = roots.map(asNode);
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    if (node.op !== 'const' && isScalar(node) && !axes.varies(node, 'key')) found.add(node);
    else stack.push(...node.args);
  }
  return [...found];
}

/** Over how many queries and keys weights are taken together; 1 where they are whole. */
export const poolOf = ({ keep: { weights } }: AttendProgram): number =>
  typeof weights === 'object' ? weights.pool : 1;
