// Nodes: arithmetic as frozen plain data. Within one graph equal structure is one object, so `===` compares structure.

import { ExpressionError } from './error.ts';
import type { Data, Op } from './op.ts';
import type { Scalar, Type } from './type.ts';

/** A node as a pass sees it: `op` tells the form of `data`. */
export type NodeOf<O extends Op> = {
  readonly op: O;
  readonly type: Type;
  readonly args: readonly Node[];
  readonly data: O extends keyof Data ? Data[O] : null;
};

/** Any node, discriminated by `op`. */
export type Node = { [O in Op]: NodeOf<O> }[Op];

declare const phantom: unique symbol;

/** A node as an author sees it: its type is known, its structure is not. */
export interface Expr<T extends Type = Type> {
  readonly op: Op;
  readonly type: T;
  /** Only for the type checker: keeps `Expr<Vec<'hidden'>>` and `Expr<Vec<'feature'>>` apart. */
  readonly [phantom]?: T;
}

const graphOf = Symbol('graph');

// Arithmetic on nodes with JavaScript's own operators would yield NaN or '[object Object]' in silence.
const traps = Object.create(null, {
  [Symbol.toPrimitive]: {
    value(this: Node): never {
      throw new ExpressionError(
        `an expression (${this.op}) was used as a plain number or text. JavaScript's operators cannot build ` +
          'expressions: write add(a, b) for a + b, sub, mul and div likewise; lt(a, b) for a < b, gt, le, ge; ' +
          'select(condition, then, otherwise) for if and ?:; and print(expression) for its text.',
      );
    },
  },
}) as object;

/** Where nodes are made and shared. Two nodes of one graph with the same op, type, data and arguments are one object. */
export class Graph {
  readonly #interned = new Map<string, Node>();
  readonly #ids = new Map<Node, number>();
  readonly #adopted = new WeakMap<Node, Node>();

  /** Every node made here, in the order of making: arguments come before what uses them. */
  get nodes(): readonly Node[] {
    return [...this.#ids.keys()];
  }

  make(op: Op, type: Type, args: readonly Node[], data: Node['data']): Node {
    const own = args.map((arg) => this.adopt(arg));
    const key = this.#key(op, type, own, data);
    const known = this.#interned.get(key);
    if (known) return known;
    const node: Node = Object.assign(Object.create(traps), {
      op,
      type,
      args: Object.freeze(own),
      data: Object.freeze(data),
    });
    Object.defineProperty(node, graphOf, { value: this });
    Object.freeze(node);
    this.#interned.set(key, node);
    this.#ids.set(node, this.#ids.size);
    return node;
  }

  /** The same structure in this graph: the node itself if it was made here. */
  adopt(node: Node): Node {
    const own = (one: Node): Node | undefined => (this.#ids.has(one) ? one : this.#adopted.get(one));
    // An explicit stack: formulas made by passes can be deeper than the call stack.
    const stack = [node];
    for (let one = stack.at(-1); one; one = stack.at(-1)) {
      const next = own(one) ? undefined : one.args.find((arg) => !own(arg));
      if (next) {
        stack.push(next);
        continue;
      }
      if (!own(one)) this.#adopted.set(one, this.make(one.op, one.type, one.args, one.data));
      stack.pop();
    }
    return own(node) as Node;
  }

  #key(op: Op, type: Type, args: readonly Node[], data: Data[keyof Data] | null): string {
    const held = data && 'value' in data ? literal(data.value) : JSON.stringify(data);
    return `${op}|${type.element}|${type.lookups}|${JSON.stringify(type.dims)}|${args.map((arg) => this.#ids.get(arg)).join(',')}|${held}`;
  }
}

/** The graph a node was made in. A node that came through structuredClone has none: adopt it into one first. */
export function graph(of: Expr): Graph {
  const home = (of as { [graphOf]?: Graph } | null | undefined)?.[graphOf];
  if (!home) {
    throw new ExpressionError(
      `expected an expression made by @heed/expr, got ${describeStranger(of)}. Inputs come from trace(); ` +
        'an expression that was cloned or sent to a worker is made whole again by new Graph().adopt(it).',
    );
  }
  return home;
}

/** Whether a value is an expression that can be built upon. */
export const isExpr = (value: unknown): value is Expr =>
  typeof value === 'object' && value !== null && graphOf in value;

/** A literal number, told apart where JSON would not: NaN, the infinities and minus zero. */
export const literal = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));

/** The two doors of one thing: authors hold typed expressions, passes hold nodes. */
export const asNode = (of: Expr): Node => of as Node;
export const asExpr = <T extends Type = Scalar>(node: Node): Expr<T> => node as unknown as Expr<T>;

function describeStranger(value: unknown): string {
  if (value === null || typeof value !== 'object') return `${typeof value} ${String(value)}`;
  return 'op' in value
    ? 'a bare copy of a node'
    : `an object with keys ${Object.keys(value).join(', ') || '(none)'}`;
}
