// The rewrite for cost: exponentials leave the loop over pairs. What is equal in real arithmetic and nearly so in floats,
// within stated guards and errors.

import { is, literalBy, make, minus, plus, repeated, times, total } from './algebra.ts';
import { input } from './infer.ts';
import { asExpr, type Expr, type Graph, type Node } from './node.ts';
import { print } from './print.ts';
import { fourTimesBoth, oneLessTwice, reciprocal, separate } from './separable.ts';
import { Sides } from './side.ts';
import type { Hoisted } from './stage.ts';
import { inputsOf, rebuild } from './walk.ts';

/** Expressions of the same values with cheaper arithmetic. */
export interface Cheaper {
  readonly roots: Readonly<Record<string, Expr>>;
  /** Rows to compute first, from inputs of the original. */
  readonly rows: readonly Hoisted[];
  /** The roots are right where |element| <= limit for every element of each of these inputs, and so for no NaN. */
  readonly guards: readonly { readonly input: string; readonly limit: number }[];
  /** What was rewritten, a sentence each. */
  readonly reasons: readonly string[];
  /** How far a result may lie from the original's in float32, for an exp within one unit in the last place. */
  readonly error: string;
}

export interface CheapenOptions {
  /** The two axes, as in `stage`. */
  readonly pair: readonly [string, string];
  /** The axes that rows of each side may vary along, as in `stage`. */
  readonly sides?: readonly [readonly string[], readonly string[]];
  /**
   * Also |x - y|² = x.x - 2 x.y + y.y. It turns squared distances into matrix products, and cancels: the error is
   * relative to |x|² + |y|², not to the distance.
   */
  readonly distances?: boolean;
}

/**
 * Writes functions of a sum over both sides of the pair with one exponential for each row and none for each pair, in
 * staged expressions and in their derivatives. With x on the first side, y on the second, and u = 1 / (exp(2x) exp(2y) + 1):
 *
 *   tanh(x + y) = 1 - 2 u              1 - tanh(x + y)² = 4 u (1 - u)          v . tanh(x + y) = sum(v) - 2 v . u
 *   sigmoid(x + y) = 1 / (exp(-x) exp(-y) + 1)                                 exp(x + y) = exp(x) exp(y)
 *
 * x and y are sums of inputs with literal factors; `guards` bounds these so that every exponent is within 34 of zero
 * (see EXPONENT). Outside the guards use the original: a product of infinity and zero would be NaN.
 *
 * Errors, with e = 2^-24 and each exp within 2 e of its value: the product P of two is within 5 e, and tanh moves by at
 * most half of that, 2.5 e; the sum P + 1, the quotient, and the last subtraction add 5 e. So 8 e for tanh, absolute: small
 * values lose relative precision. Likewise 12 e for 1 - tanh², 4 e for sigmoid, and 6 e relative for exp. A device whose
 * exp is less exact adds its relative error, halved for tanh. Where a side is more than one input times a power of two,
 * its exponent is rounded as well: by 34 e at the guard, and tanh moves by half of that, as it does when the sum of
 * rounded terms is its argument.
 *
 * @returns null where there is nothing to rewrite.
 */
export function cheapen(roots: Readonly<Record<string, Expr>>, options: CheapenOptions): Cheaper | null {
  const sides = new Sides(options.pair, options.sides);
  const rows = new Rows(
    sides,
    options.pair,
    inputsOf(Object.values(roots)).map(({ data }) => data.name),
  );
  const limits = new Map<string, number>();
  const reasons = new Set<string>();
  const errors = new Set<string>();
  /** Of what stands for a tanh(x + y): the u that it is made of, and that tanh. */
  const halves = new Map<Node, { readonly u: Node; readonly tanh: Node }>();

  /** exp(scale z) as a product of two rows, with its guards noted. */
  const product = (home: Graph, z: Node, scale: number): Node | null => {
    const separated = separate(sides, z, scale);
    if (!separated) return null;
    for (const { input: name, limit } of separated.limits)
      limits.set(name, Math.min(limit, limits.get(name) ?? limit));
    if (!separated.exact) errors.add(errorOf.exponents);
    const [first, second] = separated.exponents.map((exponent) =>
      rows.row(home, 'exp', make('exp', exponent)),
    );
    return make('mul', first as Node, second as Node);
  };
  const done = (node: Node, result: Node, formula: string, error: string): Node => {
    reasons.add(`${print(asExpr(node))} is computed as ${formula}`);
    errors.add(error);
    return result;
  };

  const rewrite = (node: Node, home: Graph): Node => {
    const [a, b] = node.args as readonly [Node, Node];
    if (node.op === 'tanh') {
      const both = product(home, a, 2);
      if (!both) return node;
      const u = reciprocal(both);
      const result = oneLessTwice(u);
      halves.set(result, { u, tanh: node });
      return done(node, result, '1 - 2 / (exp(2x) exp(2y) + 1), with exponentials of rows', errorOf.tanh);
    }
    if (node.op === 'sigmoid') {
      const both = product(home, a, -1);
      return both
        ? done(
            node,
            reciprocal(both),
            '1 / (exp(-x) exp(-y) + 1), with exponentials of rows',
            errorOf.sigmoid,
          )
        : node;
    }
    if (node.op === 'exp') {
      const both = product(home, a, 1);
      return both ? done(node, both, 'exp(x) exp(y), with exponentials of rows', errorOf.exp) : node;
    }
    // 1 - t², as derive writes it.
    const squared = node.op === 'sub' && is(a, 1) && (b.op === 'mul' || b.op === 'pow') ? b : null;
    if (
      squared &&
      (squared.op === 'mul' ? squared.args[0] === squared.args[1] : is(squared.args[1] as Node, 2))
    ) {
      const half = halves.get(squared.args[0] as Node);
      if (half) {
        reasons.add(
          `1 less the square of ${print(asExpr(half.tanh))} is computed as 4 u (1 - u), where the tanh is 1 - 2 u`,
        );
        errors.add(errorOf.slope);
        return fourTimesBoth(half.u);
      }
    }
    if (node.op === 'sum') {
      const u = halves.get(a)?.u;
      if (u) return minus(total(repeated(literalBy(u, 1), u.type.dims)), times(literalBy(u, 2), total(u)));
    }
    if (node.op === 'dot') {
      const [t, weight] = halves.has(b) ? [b, a] : [a, b];
      const u = halves.get(t)?.u;
      if (u && !sides.isPair(weight)) {
        const all = rows.row(home, 'sum', total(weight));
        return minus(all, times(literalBy(u, 2), make('dot', weight, u)));
      }
    }
    if (options.distances && node.op === 'dot' && a === b && (a.op === 'sub' || a.op === 'add')) {
      const [x, y] = a.args as readonly [Node, Node];
      const parted =
        !sides.isPair(x) && !sides.isPair(y) && x.type.dims.length === 1 && y.type.dims.length === 1;
      if (!parted) return node;
      const squares = plus(
        rows.row(home, 'square', make('dot', x, x)),
        rows.row(home, 'square', make('dot', y, y)),
      );
      const twice = times(literalBy(node, 2), make('dot', x, y));
      const result = a.op === 'sub' ? minus(squares, twice) : plus(squares, twice);
      return done(
        node,
        make('maximum', result, literalBy(node, 0)),
        'x.x - 2 x.y + y.y, not below 0',
        errorOf.distance,
      );
    }
    return node;
  };
  const results = rebuild(Object.values(roots), rewrite);
  if (reasons.size === 0) return null;
  return {
    roots: Object.fromEntries(Object.keys(roots).map((name, i) => [name, results[i] as Expr])),
    rows: rows.used(results),
    guards: [...limits].map(([name, limit]) => ({ input: name, limit })),
    reasons: [...reasons],
    error: [...errors]
      .sort((a, b) => Number(a === errorOf.exponents) - Number(b === errorOf.exponents))
      .join('; '),
  };
}

const errorOf = {
  tanh: 'each tanh within 8 * 2^-24, absolute',
  slope: 'each 1 - tanh^2 within 12 * 2^-24, absolute',
  sigmoid: 'each sigmoid within 4 * 2^-24, absolute',
  exp: 'each exp within 6 * 2^-24, relative',
  exponents: 'and what the rounding of exponents up to 34 makes of it (68 * 2^-24, of which tanh takes half)',
  distance: 'each squared distance of n elements within (n + 4) * 2^-24 * 2 (x.x + y.y), absolute',
} as const;

/** The rows that a rewriting asks for, each once. */
class Rows {
  readonly #sides: Sides;
  readonly #stems: readonly [string, string, string];
  readonly #taken: Set<string>;
  readonly #byBody = new Map<Node, Hoisted>();

  constructor(sides: Sides, pair: readonly [string, string], taken: readonly string[]) {
    this.#sides = sides;
    this.#stems = ['shared', pair[0], pair[1]];
    this.#taken = new Set(taken);
  }

  /** An input that stands for a row; what reads no input stays as it is. */
  row(home: Graph, what: string, body: Node): Node {
    if (inputsOf([asExpr(body)]).length === 0) return body;
    const known = this.#byBody.get(body);
    if (known) return input(home, known.name, body.type, known.along);
    const stem = this.#stems[this.#sides.of(body) as 0 | 1 | 2];
    let n = 0;
    while (this.#taken.has(`${stem}$${what}${n}`)) n++;
    const name = `${stem}$${what}${n}`;
    this.#taken.add(name);
    const along = this.#sides.along(body);
    this.#byBody.set(body, { name, along, body: asExpr(body) });
    return input(home, name, body.type, along);
  }

  /** The rows that the results read. */
  used(results: readonly Expr[]): Hoisted[] {
    const read = new Set(inputsOf(results).map(({ data }) => data.name));
    return [...this.#byBody.values()].filter(({ name }) => read.has(name));
  }
}
