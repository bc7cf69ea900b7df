// Algebra before hoisting: writes an expression of pairs so that as much of it as can be lies on one side.

import { cut, make, negate, plus, times } from './algebra.ts';
import { contract, sumOf, type Term, termsOf, unscaled } from './contract.ts';
import { asExpr, type Expr, type Node } from './node.ts';
import { arithmeticBinary, arithmeticUnary, floatUnary, type Op } from './op.ts';
import { print } from './print.ts';
import type { Side, Sides } from './side.ts';
import { type Dim, type Sizes, sizeOf } from './type.ts';
import { rebuild } from './walk.ts';

export interface Setting {
  readonly sides: Sides;
  /** The side with fewer rows, or 0. */
  readonly fewer: Side;
  readonly sizes: Sizes;
}

interface Rule {
  readonly why: string;
  /** What stands in the node's place, or the node itself. */
  readonly apply: (node: Node, setting: Setting) => Node;
}

const argsOf = (node: Node): readonly [Node, Node] => node.args as readonly [Node, Node];
const dimOf = (node: Node, axis = 0): Dim => node.type.dims[axis] as Dim;

// More rounds than any formula needs; each either makes an expression simpler or leaves it.
const MOST_ROUNDS = 64;

/** Applies the rules until none has anything to say. `note` receives a sentence for each change. */
export function expose(
  roots: readonly Expr[],
  setting: Setting,
  note: (sentence: string) => void,
): readonly Expr[] {
  let current = roots;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    let changed = false;
    current = rebuild(current, (node) => {
      for (const { why, apply } of rules[node.op] ?? []) {
        const result = apply(node, setting);
        if (result === node) continue;
        changed = true;
        note(`${print(asExpr(node))} becomes ${print(asExpr(result))}: ${why}.`);
        return result;
      }
      return node;
    });
    if (!changed) break;
  }
  return current;
}

/** Whether a vector, times a matrix, has a part that need not be multiplied for each pair. */
function hasFreePart(sides: Sides, matrix: Node, vector: Node): boolean {
  if (vector.op === 'concat') return vector.args.some((part) => hasFreePart(sides, matrix, part));
  return isFree(sides, matrix, vector);
}

/** Whether every term of a vector, without its scalar factors, lies on one side together with a matrix. */
const isFree = (sides: Sides, matrix: Node, vector: Node): boolean =>
  termsOf(sides, vector).every(({ node }) => !sides.isPair(matrix, unscaled(node).core));

/** matrix * vector for `matvec`, vector * matrix for `vecmat`, with the matrix cut along the axis that meets the vector. */
interface Product {
  readonly matrix: Node;
  readonly vector: Node;
  readonly axis: 0 | 1;
  readonly with: (matrix: Node, vector: Node) => Node;
  /** The same matrix from its other side. */
  readonly turned: (matrix: Node, vector: Node) => Node;
}

const byMatvec = (matrix: Node, vector: Node): Node => make('matvec', matrix, vector);
const byVecmat = (matrix: Node, vector: Node): Node => make('vecmat', vector, matrix);

function productOf(node: Node): Product | null {
  const [a, b] = argsOf(node);
  if (node.op === 'matvec') return { matrix: a, vector: b, axis: 1, with: byMatvec, turned: byVecmat };
  if (node.op === 'vecmat') return { matrix: b, vector: a, axis: 0, with: byVecmat, turned: byMatvec };
  return null;
}

const splitProduct: Rule = {
  why: 'the parts that were joined lie on different sides',
  apply(node, { sides }) {
    const { matrix, vector, axis, with: by } = productOf(node) as Product;
    if (vector.op !== 'concat' || !sides.isPair(vector) || !hasFreePart(sides, matrix, vector)) return node;
    const [a, b] = argsOf(vector);
    return plus(by(cut(matrix, axis, '0', dimOf(a)), a), by(cut(matrix, axis, dimOf(a), dimOf(b)), b));
  },
};

const distributeProduct: Rule = {
  why: 'the terms lie on different sides, so that no matrix is multiplied for each pair',
  apply(node, { sides }) {
    const { matrix, vector, with: by } = productOf(node) as Product;
    if (!sides.isPair(node) || !isFree(sides, matrix, vector)) return node;
    const terms = termsOf(sides, vector).map(({ negative, node: term }): Term => {
      const { core, scale } = unscaled(term);
      return { negative, node: scale(by(matrix, core)) };
    });
    return sumOf(terms);
  },
};

const scaleProduct: Rule = {
  why: 'a factor of the matrix is applied to the product',
  apply(node, { sides }) {
    const { matrix, vector, with: by } = productOf(node) as Product;
    const { core, scale } = unscaled(matrix);
    const worth = sides.isPair(matrix) || !sides.isPair(core, vector);
    return sides.isPair(node) && core !== matrix && worth ? scale(by(core, vector)) : node;
  },
};

const applyOuter: Rule = {
  why: '(a bᵀ) x = (b . x) a',
  apply(node) {
    const { matrix, vector, axis } = productOf(node) as Product;
    if (matrix.op !== 'outer') return node;
    const [a, b] = axis === 1 ? argsOf(matrix) : ([matrix.args[1], matrix.args[0]] as [Node, Node]);
    return times(make('dot', b, vector), a);
  },
};

const splitSum: Rule = {
  why: 'a sum over joined parts is the sum of theirs',
  apply(node, { sides }) {
    const [a, b] = argsOf(node);
    if (node.op === 'sum') {
      return a.op === 'concat' && sides.isPair(a)
        ? plus(...(a.args.map((part) => make('sum', part)) as [Node, Node]))
        : node;
    }
    const joined = [a, b].find((one) => one.op === 'concat' && sides.isPair(one));
    if (!joined) return node;
    const other = joined === a ? b : a;
    const [head, tail] = argsOf(joined);
    const alike = other.op === 'concat' && dimOf(argsOf(other)[0]) === dimOf(head);
    if (sides.isPair(other) && !alike) return node;
    return plus(
      make('dot', cut(other, 0, '0', dimOf(head)), head),
      make('dot', cut(other, 0, dimOf(head), dimOf(tail)), tail),
    );
  },
};

const sumOfProducts: Rule = {
  why: 'the same sum with one operand for each side',
  apply: (node, { sides, fewer }) => (sides.isPair(node) ? contract(sides, node, fewer) : node),
};

/** dot(c, W x) = dot(Wᵀ c, x) */
const turnMatrix: Rule = {
  why: 'the matrix is multiplied where that is done less often',
  apply(node, setting) {
    const [a, b] = argsOf(node);
    if (!setting.sides.isPair(node)) return node;
    return turned(a, b, setting) ?? turned(b, a, setting) ?? node;
  },
};

function turned(c: Node, sum: Node, setting: Setting): Node | null {
  const { sides } = setting;
  if (sides.isPair(c)) return null;
  const stay: Term[] = [];
  const moved: Term[] = [];
  for (const { negative, node } of termsOf(sides.isPair(sum) ? sides : null, sum)) {
    const { core, scale } = unscaled(node);
    const product = productOf(core);
    if (product && worthTurning(c, core, product, setting)) {
      moved.push({ negative, node: scale(make('dot', product.turned(product.matrix, c), product.vector)) });
    } else {
      stay.push({ negative, node });
    }
  }
  if (moved.length === 0) return null;
  if (stay.length === 0) return sumOf(moved);
  const rest = sumOf(stay);
  // Two dots in place of one, for each pair, are worth it only where the matrix was multiplied for each pair too.
  if (!sides.isPair(sum) && sides.isPair(c, rest)) return null;
  return plus(sumOf(moved), make('dot', c, rest));
}

/** Whether Wᵀ c is computed less often, or for less in the loop over pairs, than `core`, which is W x. */
function worthTurning(
  c: Node,
  core: Node,
  { matrix, vector }: Product,
  { sides, fewer, sizes }: Setting,
): boolean {
  if (sides.isPair(matrix, c)) return false;
  if (sides.isPair(core)) return true;
  const [mine, its] = [sides.of(c), sides.of(core)] as const;
  if (mine === 0 || its === 0) return mine === 0;
  const [now, then] = [sizeOf(dimOf(c), sizes), sizeOf(dimOf(vector), sizes)];
  if (now === undefined || then === undefined) return fewer === mine;
  const [rows, others] = [sizes[sides.axis(mine as 1 | 2)], sizes[sides.axis(its as 1 | 2)]];
  if (rows === undefined || others === undefined)
    return fewer === mine ? then <= now : fewer === 0 && then < now;
  // Multiplications: of the matrix for each row, and of the dot for each pair.
  const cost = (count: number, length: number): number => count * now * then + rows * others * length;
  return cost(rows, then) < cost(others, now);
}

/** f(concat(a, b)) = concat(f(a), f(b)), where that leaves a part on one side. */
const splitElementwise: Rule = {
  why: 'the parts that were joined lie on different sides',
  apply(node, { sides }) {
    const joined = node.args.find((arg) => arg.op === 'concat' && hasOneSidedPart(sides, arg));
    if (!joined) return node;
    const [head, tail] = argsOf(joined).map((part) => dimOf(part)) as [Dim, Dim];
    const pieces = node.args.map((arg): [Node, Node] | null => {
      if (arg.type.dims.length === 0) return [arg, arg];
      const alike = arg.op === 'concat' && dimOf(argsOf(arg)[0]) === head;
      if (sides.isPair(arg) && !alike) return null;
      return [cut(arg, 0, '0', head), cut(arg, 0, head, tail)];
    });
    if (pieces.includes(null)) return node;
    const half = (at: 0 | 1): Node =>
      make(node.op, ...(pieces.map((piece) => (piece as [Node, Node])[at]) as [Node, ...Node[]]));
    return make('concat', half(0), half(1));
  },
};

const hasOneSidedPart = (sides: Sides, joined: Node): boolean =>
  sides.isPair(joined) &&
  joined.args.some((part) => !sides.isPair(part) || (part.op === 'concat' && hasOneSidedPart(sides, part)));

/** Terms of a sum of vectors that lie on one side are added before those of the other. */
const mergeTerms: Rule = {
  why: 'what lies on one side is added first',
  apply(node, { sides }) {
    if (node.type.dims.length !== 1 || !sides.isPair(node)) return node;
    const terms = termsOf(sides, node);
    const on = (...side: Side[]): Term[] => terms.filter((term) => side.includes(sides.of(term.node)));
    // What lies on neither side goes with a side that is there, as far as rows of that side may take it.
    const shared = on(0);
    const host = ([1, 2] as const).find(
      (side) => on(side).length > 0 && !sides.isPair(...[...on(side), ...shared].map((term) => term.node)),
    );
    const groups = host ? [[...on(host), ...shared], on(host === 1 ? 2 : 1)] : [shared, on(1), on(2)];
    const vectors = groups.filter((group) => group.length > 0);
    if (vectors.length + on(3).length === terms.length) return node;
    const merged = vectors.map((group) => sumOf(positiveFirst(group)));
    return [...merged, ...on(3).map(({ negative, node: term }) => (negative ? negate(term) : term))].reduce(
      plus,
    );
  },
};

const positiveFirst = (terms: readonly Term[]): Term[] => [
  ...terms.filter(({ negative }) => !negative),
  ...terms.filter(({ negative }) => negative),
];

const cutEarlier: Rule = {
  why: 'only what is used is computed',
  apply(node) {
    if (node.op !== 'slice') return node;
    const { axis, from, dim } = node.data;
    const of = node.args[0] as Node;
    const product = of.type.dims.length === 1 ? productOf(of) : null;
    if (product)
      return product.with(cut(product.matrix, product.axis === 1 ? 0 : 1, from, dim), product.vector);
    return cut(of, axis, from, dim);
  },
};

const ofProducts: readonly Rule[] = [applyOuter, splitProduct, distributeProduct, scaleProduct];
const ofSums: readonly Rule[] = [splitSum, sumOfProducts];
const elementwise: readonly Op[] = [...arithmeticUnary, ...floatUnary, ...arithmeticBinary];

const rules: { readonly [O in Op]?: readonly Rule[] } = {
  ...Object.fromEntries(elementwise.map((op) => [op, [splitElementwise]])),
  add: [splitElementwise, mergeTerms],
  sub: [splitElementwise, mergeTerms],
  matvec: ofProducts,
  vecmat: ofProducts,
  sum: ofSums,
  dot: [...ofSums, turnMatrix],
  slice: [cutEarlier],
};
