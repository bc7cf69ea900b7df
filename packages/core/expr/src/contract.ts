// Sums of products over the elements of vectors, taken apart so that each operand lies on one side of the pair.
//
//   dot(w, mul(a, b)) = dot(mul(w, a), b)        dot(c, sub(a, b)) = dot(c, a) - dot(c, b)
//   sum(mul(a, b))    = dot(a, b)                dot(mul(s, a), b) = s dot(a, b)
//
// A product of two sums that both vary with the pair is left whole: (a - b)² written as a² - 2ab + b² cancels.

import { filled, isLiteral, literalBy, negate, over, plus, times, total } from './algebra.ts';
import { build } from './infer.ts';
import { graph, type Node } from './node.ts';
import { PAIR, type Side, type Sides } from './side.ts';
import type { Dim } from './type.ts';

/** sign * product of scalars / product of divisors * product of vectors, element by element. */
interface Monomial {
  readonly negative: boolean;
  readonly scalars: readonly Node[];
  readonly divisors: readonly Node[];
  readonly vectors: readonly Node[];
}

const of = (vectors: readonly Node[], scalars: readonly Node[] = []): Monomial => ({
  negative: false,
  scalars,
  divisors: [],
  vectors,
});

const opposite = (one: Monomial): Monomial => ({ ...one, negative: !one.negative });

const product = (a: Monomial, b: Monomial): Monomial => ({
  negative: a.negative !== b.negative,
  scalars: [...a.scalars, ...b.scalars],
  divisors: [...a.divisors, ...b.divisors],
  vectors: [...a.vectors, ...b.vectors],
});

/** A term of a sum with the sign it has in it. */
export interface Term {
  readonly negative: boolean;
  readonly node: Node;
}

/** The terms of a sum; with `sides`, a sum that does not vary with the pair is one term. */
export function termsOf(sides: Sides | null, node: Node, negative = false): Term[] {
  const [a, b] = node.args as readonly [Node, Node];
  // A scalar among the terms of a vector stands for a vector of equal elements.
  const inner = (one: Node, sign: boolean): Term[] =>
    one.type.dims.length < node.type.dims.length
      ? [{ negative: sign, node: filled(one, node.type.dims[0] as Dim) }]
      : termsOf(sides, one, sign);
  if ((!sides || sides.isPair(node)) && node.type.dims.length < 2) {
    if (node.op === 'add') return [...inner(a, negative), ...inner(b, negative)];
    if (node.op === 'sub') return [...inner(a, negative), ...inner(b, !negative)];
    if (node.op === 'neg') return inner(a, !negative);
  }
  return [{ negative, node }];
}

export const sumOf = (terms: readonly Term[]): Node =>
  terms.map(({ negative, node }) => (negative ? negate(node) : node)).reduce(plus);

/** A vector or matrix with its scalar factors and signs set apart. */
export interface Scaled {
  readonly core: Node;
  readonly scale: (node: Node) => Node;
}

export function unscaled(node: Node): Scaled {
  const [a, b] = node.args as readonly [Node, Node];
  const isScalar = (one: Node): boolean => one.type.dims.length === 0;
  const within = (inner: Node, more: (node: Node) => Node): Scaled => {
    const { core, scale } = unscaled(inner);
    return { core, scale: (one) => more(scale(one)) };
  };
  if (isScalar(node)) return { core: node, scale: (one) => one };
  if (node.op === 'neg') return within(a, negate);
  if (node.op === 'mul' && isScalar(a)) return within(b, (one) => times(a, one));
  if (node.op === 'mul' && isScalar(b)) return within(a, (one) => times(b, one));
  if (node.op === 'div' && isScalar(b)) return within(a, (one) => over(one, b));
  return { core: node, scale: (one) => one };
}

/** A vector as a sum of products, taken apart as far as that leads to one-sided factors. */
function monomials(sides: Sides, vector: Node): readonly Monomial[] {
  const [a, b] = vector.args as readonly [Node, Node];
  const isScalar = (one: Node): boolean => one.type.dims.length === 0;
  if (vector.op === 'fill') return [of([], [a])];
  if (!sides.isPair(vector)) return [of([vector])];
  const terms = termsOf(sides, vector);
  if (terms.length > 1 || vector.op === 'neg') {
    return terms.flatMap(({ negative, node }) => {
      const inner = monomials(sides, node);
      return negative ? inner.map(opposite) : inner;
    });
  }
  if (vector.op === 'div' && isScalar(b)) {
    return monomials(sides, a).map((one) => ({ ...one, divisors: [...one.divisors, b] }));
  }
  if (vector.op !== 'mul') return [of([vector])];
  const [as, bs] = [a, b].map((one) => (isScalar(one) ? [of([], [one])] : monomials(sides, one))) as [
    Monomial[],
    Monomial[],
  ];
  if (as.length > 1 && bs.length > 1) return [of([vector])];
  return as.flatMap((one) => bs.map((other) => product(one, other)));
}

/**
 * A dot or a sum as one that has, for each pair, one operand for each side; the node itself where that cannot be. Terms
 * that cannot be parted stay together.
 *
 * @param fewer the side that takes on factors that lie on neither.
 */
export function contract(sides: Sides, node: Node, fewer: Side): Node {
  const [a, b] = (node.op === 'sum' ? [node.args[0], null] : node.args) as readonly [Node, Node | null];
  if (b && !sides.isPair(a) && !sides.isPair(b) && a.op !== 'fill' && b.op !== 'fill') return node;
  // One of the operands may be a sum.
  const [split, whole] = b && termsOf(sides, b).length > 1 ? [b, a] : [a, b];
  if (whole && termsOf(sides, whole).length > 1) return node;
  const productsOf = (term: Term): readonly Monomial[] | null => {
    const [mine, its] = [monomials(sides, term.node), whole ? monomials(sides, whole) : [of([])]];
    return whole === a ? multiply(its, mine) : multiply(mine, its);
  };
  const rest: Term[] = [];
  const parted: Term[] = [];
  for (const term of termsOf(sides, split)) {
    const products = productsOf(term);
    const inseparable =
      !products || products.some((one) => one.vectors.some((vector) => sides.isPair(vector)));
    (inseparable ? rest : parted).push(term);
  }
  // Literals stay where they are: v . (1 - t²) is exact near t = 1, sum(v) - v . t² cancels.
  const alone = parted.filter(
    ({ node: term }) => rest.length === 0 || !(term.op === 'fill' && isLiteral(term.args[0] as Node)),
  );
  if (alone.length === 0) return pulled(sides, node);
  const kept = [...rest, ...parted.filter((term) => !alone.includes(term))];
  const sums = alone.flatMap((term) =>
    (productsOf(term) as readonly Monomial[]).map((one) =>
      summed(sides, term.negative ? opposite(one) : one, node, fewer),
    ),
  );
  if (kept.length > 0) sums.push(pulled(sides, total(whole ? times(whole, sumOf(kept)) : sumOf(kept))));
  return sums.reduce(plus);
}

const multiply = (as: readonly Monomial[], bs: readonly Monomial[]): readonly Monomial[] | null =>
  as.length > 1 && bs.length > 1 ? null : as.flatMap((one) => bs.map((other) => product(one, other)));

/** The sum over elements of one product: at most one vector for each side, scalars outside. */
function summed(sides: Sides, one: Monomial, like: Node, fewer: Side): Node {
  const on = (side: Side): Node[] => one.vectors.filter((vector) => sides.of(vector) === side);
  const [shared, first, second] = [on(0), on(1), on(2)];
  const join = (vectors: readonly Node[]): Node => vectors.reduce(times);
  let sum: Node;
  if (one.vectors.length === 0) {
    sum = build(graph(like), 'size', [], { dim: (like.args[0] as Node).type.dims[0] as Dim });
  } else if (sides.of(...one.vectors) !== PAIR) {
    sum = total(join(one.vectors));
  } else {
    // What lies on neither side goes where something is computed anyway, else where it is done for fewer rows.
    const plain = (group: readonly Node[]): boolean => group.length === 1 && group[0]?.op === 'input';
    const fits = (group: readonly Node[]): boolean => !sides.isPair(...shared, ...group);
    const better = plain(first) === plain(second) ? fewer === 2 : plain(first);
    const toSecond = fits(second) && (better || !fits(first));
    if (first.length === 0 || second.length === 0) sum = total(join(one.vectors));
    else if (toSecond) sum = total(times(join(first), join([...shared, ...second])));
    else sum = total(times(join([...shared, ...first]), join(second)));
  }
  const scaled = one.scalars.length > 0 ? times(one.scalars.reduce(times), sum) : sum;
  const divided =
    one.divisors.length > 0 ? over(scaled, one.divisors.reduce(times, literalBy(sum, 1))) : scaled;
  return one.negative ? negate(divided) : divided;
}

/** Signs and scalar factors of operands that vary with the pair, taken out of a dot or a sum. */
function pulled(sides: Sides, node: Node): Node {
  const parts = (one: Node): Scaled =>
    sides.isPair(one) ? unscaled(one) : { core: one, scale: (whole) => whole };
  const [a, b] = node.args.map(parts) as [Scaled, Scaled];
  if (node.op === 'sum') return a.scale(total(a.core));
  if (node.op === 'dot') return a.scale(b.scale(total(times(a.core, b.core))));
  return node;
}
