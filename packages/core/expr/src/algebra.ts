// Arithmetic on nodes for passes that write formulas: the builders of author.ts without types, and with the folding that
// keeps what a pass writes readable (1 x = x, -(-x) = x, fill(s) * v = s v). Nothing here changes a value but by rounding.

import { build, constant } from './infer.ts';
import { graph, type Node, type NodeOf } from './node.ts';
import type { Op } from './op.ts';
import type { Dim } from './type.ts';

/** A node of any op, in the graph of its first argument. */
export const make = (op: Op, ...args: readonly [Node, ...Node[]]): Node =>
  build(graph(args[0]), op, args, null);

/** A float literal in the graph of another node. */
export const literalBy = (near: Node, value: number): Node => constant(graph(near), value);

export const isLiteral = (node: Node): node is NodeOf<'const'> => node.op === 'const';
export const is = (node: Node, value: number): boolean => isLiteral(node) && node.data.value === value;

const isScalar = (node: Node): boolean => node.type.dims.length === 0;

export function plus(a: Node, b: Node): Node {
  if (is(a, 0)) return b;
  if (is(b, 0)) return a;
  if (isLiteral(a) && isLiteral(b)) return literalBy(a, a.data.value + b.data.value);
  if (b.op === 'neg' && a.type.lookups === 0) return minus(a, b.args[0] as Node);
  return make('add', a, b);
}

export function minus(a: Node, b: Node): Node {
  if (is(a, 0)) return negate(b);
  if (is(b, 0)) return a;
  if (isLiteral(a) && isLiteral(b)) return literalBy(a, a.data.value - b.data.value);
  return make('sub', a, b);
}

export function negate(a: Node): Node {
  if (isLiteral(a)) return literalBy(a, -a.data.value);
  if (a.op === 'neg') return a.args[0] as Node;
  return make('neg', a);
}

/** a b, where a scalar meets a vector or a matrix by being repeated. */
export function times(a: Node, b: Node): Node {
  if (isLiteral(a) && isLiteral(b)) return literalBy(a, a.data.value * b.data.value);
  if (is(a, 1)) return b;
  if (is(b, 1)) return a;
  if (is(a, -1)) return negate(b);
  if (is(b, -1)) return negate(a);
  // A repeated scalar times a vector needs no repeating.
  if (a.op === 'fill' && !isScalar(b)) return times(a.args[0] as Node, b);
  if (b.op === 'fill')
    return isScalar(a) ? filled(times(a, b.args[0] as Node), b.data.dim) : times(a, b.args[0] as Node);
  return make('mul', a, b);
}

export function over(a: Node, b: Node): Node {
  if (is(b, 1)) return a;
  if (b.op === 'fill' && !isScalar(a)) return over(a, b.args[0] as Node);
  return make('div', a, b);
}

/** A scalar repeated `dim` times. */
export const filled = (scalar: Node, dim: Dim): Node => build(graph(scalar), 'fill', [scalar], { dim });

/** The sum of all elements: a scalar as it is, a product as a dot, scalar factors outside. */
export function total(of: Node): Node {
  const [a, b] = of.args as readonly [Node, Node];
  if (isScalar(of)) return of;
  if (of.type.dims.length === 2)
    return make('sum', make('matvec', of, filled(literalBy(of, 1), of.type.dims[1] as Dim)));
  if (of.op === 'fill') return times(a, build(graph(of), 'size', [], of.data));
  if (of.op === 'neg') return negate(total(a));
  if (of.op === 'div' && isScalar(b)) return over(total(a), b);
  if (of.op !== 'mul') return make('sum', of);
  if (isScalar(a)) return times(a, total(b));
  if (isScalar(b)) return times(total(a), b);
  return make('dot', a, b);
}

/** `from + more` as dims are written: `'0'` is nothing, numerals add up. */
export function addDims(from: Dim, more: Dim): Dim {
  let count = 0;
  const names: Dim[] = [];
  for (const part of `${from}+${more}`.split('+')) {
    if (/^\d+$/.test(part)) count += Number(part);
    else names.push(part);
  }
  if (count > 0) names.push(String(count));
  return names.length > 0 ? names.join('+') : '0';
}

/** slice, seen through what makes it needless: a fill, a concat cut where it was joined, another slice. */
export function cut(of: Node, axis: number, from: Dim, dim: Dim): Node {
  if (from === '0' && of.type.dims[axis] === dim) return of;
  if (of.op === 'fill') return filled(of.args[0] as Node, dim);
  if (of.op === 'concat') {
    const [a, b] = of.args as readonly [Node, Node];
    const middle = a.type.dims[0] as Dim;
    if (from === '0' && middle === dim) return a;
    if (from === middle && b.type.dims[0] === dim) return b;
  }
  if (of.op === 'slice' && of.data.axis === axis) {
    return cut(of.args[0] as Node, axis, addDims(of.data.from, from), dim);
  }
  return build(graph(of), 'slice', [of], { axis, from, dim });
}

/** A scalar in a shape of equal elements. */
export function repeated(scalar: Node, dims: readonly Dim[]): Node {
  const [rows, columns] = dims;
  if (rows === undefined) return scalar;
  if (columns === undefined) return filled(scalar, rows);
  return make('outer', filled(literalBy(scalar, 1), rows), filled(scalar, columns));
}

/** One where a condition holds, zero elsewhere. */
export const indicator = (condition: Node): Node =>
  make('select', condition, repeated(literalBy(condition, 1), condition.type.dims), literalBy(condition, 0));
