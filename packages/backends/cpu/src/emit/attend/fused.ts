// A writer of formulas that makes one instruction of a product and the sum that uses it.

import type { Node, Sizes } from '@heed/expr';
import { ExpressionWriter, type Position, type Source } from '../expression.ts';
import type { Lanes, Simd } from '../simd.ts';
import { isScalar } from './formula.ts';

export class FusedWriter extends ExpressionWriter {
  readonly #uses: ReadonlyMap<Node, number>;

  /** @param uses how often each node is used in the formula: a product that is used elsewhere too stays a product. */
  constructor(s: Simd, source: Source, sizes: Sizes, uses: ReadonlyMap<Node, number>) {
    super(s, source, sizes);
    this.#uses = uses;
  }

  override part(node: Node, at: readonly Position[]): Lanes {
    if (
      (node.op === 'add' || node.op === 'sub') &&
      node.type.element === 'float' &&
      this.#uses.get(node) === 1
    ) {
      const [a, b] = node.args as readonly [Node, Node];
      if (this.#isOnlyHere(b)) return this.#fuse(node.op === 'add', b, a, at);
      if (node.op === 'add' && this.#isOnlyHere(a)) return this.#fuse(true, a, b, at);
    }
    return super.part(node, at);
  }

  #isOnlyHere(node: Node): boolean {
    return node.op === 'mul' && this.#uses.get(node) === 1;
  }

  #fuse(plus: boolean, product: Node, other: Node, at: readonly Position[]): Lanes {
    const of = (one: Node): Lanes => this.part(one, isScalar(one) ? [] : at);
    const [a, b, c] = [of(product.args[0] as Node), of(product.args[1] as Node), of(other)];
    return plus ? this.s.madd(a, b, c) : this.s.nmadd(a, b, c);
  }
}

/** How often each node below the roots is used by others or is a root. */
export function countUses(roots: readonly Node[]): Map<Node, number> {
  const uses = new Map<Node, number>();
  const stack = [...roots];
  for (const root of roots) uses.set(root, 1);
  const seen = new Set<Node>();
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    for (const arg of node.args) {
      uses.set(arg, (uses.get(arg) ?? 0) + 1);
      stack.push(arg);
    }
  }
  return uses;
}
