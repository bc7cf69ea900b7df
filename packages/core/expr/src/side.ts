// On which side of a pair of axes an expression lies: what it varies along, from the inputs that it reads.

import type { Node } from './node.ts';

/** 0: along neither axis. 1: the first alone. 2: the second alone. 3: both, so it has a value for each pair. */
export type Side = 0 | 1 | 2 | 3;

const SHARED: Side = 0;
export const PAIR: Side = 3;

export class Sides {
  readonly #pair: readonly [string, string];
  readonly #allowed: readonly [ReadonlySet<string>, ReadonlySet<string>] | undefined;
  readonly #along = new Map<Node, readonly string[]>();

  /** @param allowed the axes that rows of each side may vary along; what varies along more counts as `PAIR`. */
  constructor(pair: readonly [string, string], allowed?: readonly [readonly string[], readonly string[]]) {
    this.#pair = pair;
    this.#allowed = allowed && [new Set(allowed[0]), new Set(allowed[1])];
  }

  /** The axes that an expression varies along, in the order in which they are first seen. */
  along(node: Node): readonly string[] {
    const known = this.#along.get(node);
    if (known) return known;
    // An explicit stack: formulas made by passes can be deeper than the call stack.
    const stack = [node];
    for (let one = stack.at(-1); one; one = stack.at(-1)) {
      const next = one.args.find((arg) => !this.#along.has(arg));
      if (next) {
        stack.push(next);
        continue;
      }
      const axes =
        one.op === 'input' ? one.data.along : one.args.flatMap((arg) => this.#along.get(arg) as string[]);
      this.#along.set(one, [...new Set(axes)]);
      stack.pop();
    }
    return this.#along.get(node) as readonly string[];
  }

  /** The side of an expression that reads all of these. */
  of(...nodes: readonly Node[]): Side {
    const axes = nodes.flatMap((node) => this.along(node));
    const first = axes.includes(this.#pair[0]);
    const second = axes.includes(this.#pair[1]);
    if (first && second) return PAIR;
    if (!first && !second) return SHARED;
    const allowed = this.#allowed?.[first ? 0 : 1];
    if (allowed && axes.some((axis) => !allowed.has(axis))) return PAIR;
    return first ? 1 : 2;
  }

  isPair(...nodes: readonly Node[]): boolean {
    return this.of(...nodes) === PAIR;
  }

  /** The axis of a side: `left` for 1, `right` for 2. */
  axis(side: 1 | 2): string {
    return this.#pair[side - 1] as string;
  }
}
