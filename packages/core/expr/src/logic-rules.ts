// Identities of conditions and of what they choose.

import type { Node } from './node.ts';
import type { Comparison, LogicalBinary } from './op.ts';
import { arg, eitherWay, is, isInt, type Maker, pair, type Rules, under } from './rule.ts';

const truth = { element: 'bool' } as const;

/** A value compared with itself. NaN is not equal to itself, so that some of this holds for ints only. */
const reflexive = (result: boolean, alsoFloats: boolean): Rules<Comparison> => ({
  [alsoFloats ? 'a number is not beyond itself' : 'an int is equal to itself']: (node, make) => {
    const [a, b] = pair(node);
    return a === b && (alsoFloats || isInt(a)) ? make.literal(result ? 1 : 0, truth) : undefined;
  },
  'ints keep their order as floats': (node, make) => {
    const [a, b] = [under(arg(node, 0), 'toFloat'), under(arg(node, 1), 'toFloat')];
    return a && b && isInt(a) && isInt(b) ? make.op(node.op, [a, b]) : undefined;
  },
});

/** With NaN both a < b and a >= b are false, so only for ints is the one the opposite of the other. */
const opposite: { readonly [O in Comparison]: { readonly op: Comparison; readonly ofFloats: boolean } } = {
  lt: { op: 'ge', ofFloats: false },
  le: { op: 'gt', ofFloats: false },
  gt: { op: 'le', ofFloats: false },
  ge: { op: 'lt', ofFloats: false },
  eq: { op: 'ne', ofFloats: true },
  ne: { op: 'eq', ofFloats: true },
};

/** `and` with `whole` true, `or` with `whole` false: the literal that changes nothing, and the one that decides. */
const lattice = (op: LogicalBinary, whole: 0 | 1): Rules<LogicalBinary> => ({
  'a literal leaves the other side or decides': eitherWay((p, literal) =>
    is(literal, whole) ? p : is(literal, 1 - whole) ? literal : undefined,
  ),
  'said once is enough': eitherWay((p, q) =>
    p === q || (p.op === op && p.args.includes(q)) ? p : undefined,
  ),
  'a condition and its opposite': eitherWay((p, q, _, make) =>
    under(q, 'not') === p ? make.literal(1 - whole, truth) : undefined,
  ),
});

const literals = (node: Node): readonly [boolean, boolean] => [is(node, 1), is(node, 0)];

export const logicRules: { readonly [O in Comparison | LogicalBinary | 'not' | 'select']: Rules<O> } = {
  lt: reflexive(false, true),
  gt: reflexive(false, true),
  le: reflexive(true, false),
  ge: reflexive(true, false),
  eq: reflexive(true, false),
  ne: reflexive(false, false),
  and: lattice('and', 1),
  or: lattice('or', 0),
  not: {
    'not not p = p': (node) => under(arg(node, 0), 'not'),
    'the opposite of a comparison is one': (node, make) => {
      const of = arg(node, 0);
      const other = Object.hasOwn(opposite, of.op) ? opposite[of.op as Comparison] : undefined;
      return other && (other.ofFloats || isInt(arg(of, 0))) ? make.op(other.op, of.args) : undefined;
    },
  },
  select: {
    'the condition is known': (node, make) => {
      const condition = arg(node, 0);
      if (condition.op !== 'const') return undefined;
      return make.as(arg(node, condition.data.value === 0 ? 2 : 1), node.type);
    },
    'both branches are the same': (node, make) =>
      arg(node, 1) === arg(node, 2) ? make.as(arg(node, 1), node.type) : undefined,
    'a condition turned round': (node, make) => {
      const p = under(arg(node, 0), 'not');
      return p && make.op('select', [p, arg(node, 2), arg(node, 1)]);
    },
    'decided already': (node, make) => {
      const [p, a, b] = [arg(node, 0), arg(node, 1), arg(node, 2)];
      const inThen = a.op === 'select' && arg(a, 0) === p ? arg(a, 1) : a;
      const inElse = b.op === 'select' && arg(b, 0) === p ? arg(b, 2) : b;
      return inThen === a && inElse === b ? undefined : make.op('select', [p, inThen, inElse]);
    },
    'a choice among truths is logic': (node, make: Maker) => {
      if (node.type.element !== 'bool') return undefined;
      const [p, a, b] = [arg(node, 0), arg(node, 1), arg(node, 2)];
      const [[aTrue, aFalse], [bTrue, bFalse]] = [literals(a), literals(b)];
      if (aTrue && bFalse) return p;
      if (aFalse && bTrue) return make.op('not', [p]);
      return aTrue ? make.op('or', [p, b]) : bFalse ? make.op('and', [p, a]) : undefined;
    },
  },
};
