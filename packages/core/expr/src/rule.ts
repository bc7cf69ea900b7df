// What the simplifier's rules are written with. A rule's name is its reason: what it says holds for every float, NaN and
// the infinities included, up to the sign of zero, and for every int.

import { build, constant } from './infer.ts';
import type { Graph, Node, NodeOf } from './node.ts';
import type { Op } from './op.ts';
import { type Dim, type Sizes, sizeOf, type Type } from './type.ts';

/** Makes what stands in a node's place. */
export class Maker {
  readonly #home: Graph;
  readonly #sizes: Sizes;

  constructor(home: Graph, sizes: Sizes) {
    this.#home = home;
    this.#sizes = sizes;
  }

  op(op: Op, args: readonly Node[], data: Node['data'] = null): Node {
    return build(this.#home, op, args, data);
  }

  /** A literal of a type: bools are 0 and 1. */
  literal(value: number, { element }: Pick<Type, 'element'>): Node {
    return constant(this.#home, value, element);
  }

  /** A value where one of the type is wanted: itself, or a scalar repeated. Only floats can be repeated. */
  as(value: Node, { dims, element }: Type): Node | undefined {
    const [dim] = dims;
    if (value.type.dims.length === dims.length) return value;
    return dim !== undefined && dims.length === 1 && element === 'float'
      ? this.op('fill', [value], { dim })
      : undefined;
  }

  /** The size of a dim, where it is known. */
  size(dim: Dim): number | undefined {
    return sizeOf(dim, this.#sizes);
  }
}

/** Gives what stands in place of a node, or nothing where the rule does not apply. */
export type Rewrite<O extends Op> = (node: NodeOf<O>, make: Maker) => Node | undefined;
/** Rules by their reasons. */
export type Rules<O extends Op> = Readonly<Record<string, Rewrite<O>>>;

export const arg = (node: { readonly args: readonly Node[] }, i: number): Node => node.args[i] as Node;
/** The operands of a binary op. */
export const pair = (node: { readonly args: readonly Node[] }): readonly [Node, Node] => [
  arg(node, 0),
  arg(node, 1),
];

/** The value of a literal. */
export const numberOf = (node: Node): number | undefined =>
  node.op === 'const' ? node.data.value : undefined;
export const is = (node: Node, value: number): boolean => numberOf(node) === value;
export const isInt = (node: { readonly type: Type }): boolean => node.type.element === 'int';
/** What `op` was applied to, if the node is that op. */
export const under = (node: Node, op: Op): Node | undefined => (node.op === op ? node.args[0] : undefined);

/** What every node has. */
export type AnyNode = Pick<Node, 'op' | 'type' | 'args'>;

/** Tries a rule of two operands in both orders. */
export const eitherWay =
  (rewrite: (a: Node, b: Node, node: AnyNode, make: Maker) => Node | undefined) =>
  (node: AnyNode, make: Maker): Node | undefined => {
    const [a, b] = pair(node);
    return rewrite(a, b, node, make) ?? rewrite(b, a, node, make);
  };
