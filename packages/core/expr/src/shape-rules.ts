// Identities of reductions, and of how vectors are cut, placed, joined and repeated.

import type { Node, NodeOf } from './node.ts';
import type { Op, ReductionOp } from './op.ts';
import { arg, eitherWay, is, type Maker, numberOf, pair, type Rules, under } from './rule.ts';
import type { Dim } from './type.ts';

/** The sum of two dims, numerals added up: `0` and `n` is `n`, `2` and `3` is `5`, `m` and `n` is `m+n`. */
function sumOf(a: Dim, b: Dim): Dim {
  const parts = [...a.split('+'), ...b.split('+')];
  const names = parts.filter((part) => !/^\d+$/.test(part));
  const numerals = parts.reduce((sum, part) => sum + (/^\d+$/.test(part) ? Number(part) : 0), 0);
  return [...names, ...(numerals > 0 || names.length === 0 ? [String(numerals)] : [])].join('+');
}

/** Whether two dims are the same sum, in whatever order it is written. */
const sameSum = (a: Dim, b: Dim): boolean => normal(a) === normal(b);
const normal = (dim: Dim): Dim => sumOf(dim, '0').split('+').sort().join('+');

const dimOf = (vector: Node, axis = 0): Dim => vector.type.dims[axis] as Dim;

/** A slice that ends where one part of a concatenation does, or lies inside one. */
function sliceOfConcat(node: NodeOf<'slice'>, make: Maker): Node | undefined {
  const joined = arg(node, 0);
  if (joined.op !== 'concat') return undefined;
  const [a, b] = pair(joined);
  const { from, dim } = node.data;
  const [start, count, first] = [make.size(from), make.size(dim), make.size(dimOf(a))];
  const cut = (of: Node, at: Dim): Node => make.op('slice', [of], { axis: 0, from: at, dim });
  if (from === '0' && dim === dimOf(a)) return a;
  if (sameSum(from, dimOf(a)) && dim === dimOf(b)) return b;
  if (start === undefined || count === undefined || first === undefined) return undefined;
  if (start + count <= first) return cut(a, from);
  return start >= first ? cut(b, String(start - first)) : undefined;
}

const whole = (node: NodeOf<'slice' | 'place'>): Node | undefined =>
  node.data.from === '0' && node.data.dim === dimOf(arg(node, 0), node.data.axis) ? arg(node, 0) : undefined;

/** slice(slice(v)) and place(place(v)): once, further on. */
const twice = (node: NodeOf<'slice' | 'place'>, make: Maker): Node | undefined => {
  const inner = arg(node, 0);
  if (inner.op !== node.op || inner.data.axis !== node.data.axis) return undefined;
  const from = sumOf(inner.data.from, node.data.from);
  return make.op(node.op, [arg(inner, 0)], { axis: node.data.axis, from, dim: node.data.dim });
};

const withoutSign = {
  'a length has no sign': (node, make) => {
    const v = under(arg(node, 0), 'neg') ?? under(arg(node, 0), 'abs');
    return v && make.op('norm', [v]);
  },
} satisfies Rules<'norm'>;

/** The largest and the smallest of equals, of which there is at least one. */
const ofEquals = {
  'of equals either': (node, make) => {
    const v = arg(node, 0);
    return v.op === 'fill' && (make.size(v.data.dim) ?? 0) > 0 ? arg(v, 0) : undefined;
  },
} satisfies Rules<'max' | 'min'>;

/** Outside a vector `pick` gives zero, inside a repeated scalar the scalar. */
const pickAt = (node: NodeOf<'pick'>, make: Maker): Node | undefined => {
  const [v, index] = pair(node);
  const [i, size] = [numberOf(index), make.size(dimOf(v))];
  if (i === undefined || (i >= 0 && size === undefined)) return undefined;
  if (i < 0 || i >= (size as number)) return make.literal(0, node.type);
  return under(v, 'fill');
};

type ShapeOp =
  | ReductionOp
  | 'dot'
  | 'concat'
  | 'slice'
  | 'place'
  | 'fill'
  | 'pick'
  | 'spread'
  | 'matvec'
  | 'vecmat'
  | 'outer';
type Rest = 'const' | 'input' | 'size' | 'at' | 'entry' | 'random';

export const shapeRules: { readonly [O in ShapeOp | Rest]: Rules<O> } = {
  dot: {
    'the product with ones is the sum': eitherWay((ones, v, _, make) => {
      const one = under(ones, 'fill');
      return one && is(one, 1) ? make.op('sum', [v]) : undefined;
    }),
    '(-a) . (-b) = a . b': (node, make) => {
      const [a, b] = [under(arg(node, 0), 'neg'), under(arg(node, 1), 'neg')];
      return a && b && make.op('dot', [a, b]);
    },
  },
  sum: {
    'zeros around add nothing': (node, make) => {
      const v = under(arg(node, 0), 'place');
      return v && make.op('sum', [v]);
    },
  },
  max: ofEquals,
  min: ofEquals,
  norm: withoutSign,
  concat: {
    'one scalar repeated': (node, make) => {
      const [a, b] = pair(node);
      const x = under(a, 'fill');
      return x && x === under(b, 'fill') ? make.op('fill', [x], { dim: dimOf(node as Node) }) : undefined;
    },
    'neighbours are one slice': (node, make) => {
      const [a, b] = pair(node);
      if (a.op !== 'slice' || b.op !== 'slice' || arg(a, 0) !== arg(b, 0)) return undefined;
      if (!sameSum(sumOf(a.data.from, a.data.dim), b.data.from)) return undefined;
      return make.op('slice', [arg(a, 0)], { axis: 0, from: a.data.from, dim: dimOf(node as Node) });
    },
  },
  slice: {
    'all of it': whole,
    'a slice of a slice': twice,
    'a slice of one part': sliceOfConcat,
    'of equals as many': (node, make) => {
      const x = under(arg(node, 0), 'fill');
      return x && make.op('fill', [x], { dim: node.data.dim });
    },
    'what was placed there': (node) => {
      const placed = arg(node, 0);
      if (placed.op !== 'place' || placed.data.axis !== node.data.axis || placed.data.from !== node.data.from)
        return undefined;
      return dimOf(arg(placed, 0), node.data.axis) === node.data.dim ? arg(placed, 0) : undefined;
    },
  },
  place: { 'all of it': whole, 'placed in what is placed': twice },
  pick: { 'a known index': pickAt },
  fill: {},
  spread: {},
  matvec: {},
  vecmat: {},
  outer: {},
  const: {},
  input: {},
  at: {},
  entry: {},
  random: {},
  size: {
    'the size is known': (node, make) => {
      const size = make.size(node.data.dim);
      return size === undefined ? undefined : make.literal(size, node.type);
    },
  },
};

/** Ops that work element by element, so that of a repeated scalar they are needed once. */
export function onceForAll(node: Node, elementwise: ReadonlySet<Op>, make: Maker): Node | undefined {
  if (!elementwise.has(node.op) || node.type.dims.length !== 1) return undefined;
  const scalars = node.args.map((one) => (one.type.dims.length === 0 ? one : under(one, 'fill')));
  if (node.type.element === 'float' && scalars.every((one) => one !== undefined))
    return make.as(make.op(node.op, scalars), node.type);
  // A vector meets the scalar itself as well; the condition of a select has the shape of its branches or none.
  const first = node.op === 'select' ? 1 : 0;
  const args = node.args.map((one, i) => (i < first ? one : (under(one, 'fill') ?? one)));
  const stays = args.slice(first).some((one) => one.type.dims.length === 1);
  return stays && args.some((one, i) => one !== node.args[i]) ? make.op(node.op, args) : undefined;
}
