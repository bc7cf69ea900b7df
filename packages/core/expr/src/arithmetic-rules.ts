// Identities of arithmetic, exact for every number. Not among them: 0 x = 0 and x - x = 0 for floats (NaN, infinities),
// and everything that rounds differently, such as (a b) c = a (b c).

import type { Node } from './node.ts';
import type { ArithmeticBinary, ArithmeticUnary, FloatUnary } from './op.ts';
import {
  type AnyNode,
  arg,
  eitherWay,
  is,
  isInt,
  type Maker,
  numberOf,
  pair,
  type Rules,
  under,
} from './rule.ts';

const same = {
  'of two equals either': (node) => (arg(node, 0) === arg(node, 1) ? arg(node, 0) : undefined),
} satisfies Rules<'minimum' | 'maximum'>;

/** f(f(x, a), b) = f(x, f(a, b)) for literals a and b. */
const gathered =
  (op: 'minimum' | 'maximum', of: (a: number, b: number) => number) =>
  (a: Node, b: Node, node: AnyNode, make: Maker): Node | undefined => {
    const outer = numberOf(b);
    if (outer === undefined || a.op !== op) return undefined;
    const [x, y] = pair(a);
    const [inner, rest] = numberOf(x) === undefined ? [numberOf(y), x] : [numberOf(x), y];
    return inner === undefined ? undefined : make.op(op, [rest, make.literal(of(inner, outer), node.type)]);
  };

/** An int plus a literal, however it is written: `x + 3`, `3 + x`, `x - 3`. */
function shifted(node: AnyNode): { of: Node; by: number } | undefined {
  if (!isInt(node) || (node.op !== 'add' && node.op !== 'sub')) return undefined;
  const [a, b] = pair(node);
  const by = numberOf(b);
  if (by !== undefined) return { of: a, by: node.op === 'add' ? by : -by };
  const first = numberOf(a);
  return node.op === 'add' && first !== undefined ? { of: b, by: first } : undefined;
}

const oneShift = {
  '(i + a) + b = i + (a + b) for ints': (node: AnyNode, make: Maker) => {
    const outer = shifted(node);
    const inner = outer && shifted(outer.of);
    return inner && make.op('add', [inner.of, make.literal((inner.by + outer.by) | 0, node.type)]);
  },
};

/** Whether 1 / value is exact, and a float32: x / value is then x * (1 / value), bit for bit. */
const isPowerOfTwo = (value: number): boolean =>
  Number.isInteger(Math.log2(Math.abs(value))) &&
  2 ** Math.round(Math.log2(Math.abs(value))) === Math.abs(value) &&
  Math.abs(Math.log2(Math.abs(value))) <= 126;

export const arithmeticRules: {
  readonly [O in ArithmeticBinary | ArithmeticUnary | FloatUnary | 'toFloat' | 'toInt']: Rules<O>;
} = {
  neg: {
    '-(-x) = x': (node) => under(arg(node, 0), 'neg'),
    '-(a - b) = b - a': (node, make) => {
      const difference = arg(node, 0);
      return difference.op === 'sub' ? make.op('sub', [arg(difference, 1), arg(difference, 0)]) : undefined;
    },
  },
  abs: {
    '|-x| = |x|': (node, make) => {
      const x = under(arg(node, 0), 'neg');
      return x && make.op('abs', [x]);
    },
    '||x|| = |x|': (node) => (arg(node, 0).op === 'abs' ? arg(node, 0) : undefined),
  },
  sign: {},
  exp: {},
  log: {},
  log1p: {},
  tanh: {},
  sigmoid: {},
  sqrt: {},
  rsqrt: {},
  erf: {},
  sin: {},
  cos: {},
  floor: {
    'a whole number is its floor': (node) => {
      const of = arg(node, 0);
      const whole = of.op === 'floor' || (of.op === 'toFloat' && arg(of, 0).type.element !== 'float');
      return whole ? of : undefined;
    },
  },
  toFloat: {
    'a float is one': (node) => (arg(node, 0).type.element === 'float' ? arg(node, 0) : undefined),
  },
  toInt: {
    'an int is one': (node) => (isInt(arg(node, 0)) ? arg(node, 0) : undefined),
    'an int survives being a float': (node) => under(arg(node, 0), 'toFloat'),
    'toInt rounds down by itself': (node, make) => {
      const x = under(arg(node, 0), 'floor');
      return x && make.op('toInt', [x]);
    },
  },
  add: {
    'x + 0 = x': eitherWay((x, zero) => (is(zero, 0) ? x : undefined)),
    'a + (-b) = a - b': eitherWay((a, negative, _, make) => {
      const b = under(negative, 'neg');
      return b && make.op('sub', [a, b]);
    }),
    ...oneShift,
  },
  sub: {
    'x - 0 = x': (node) => (is(arg(node, 1), 0) ? arg(node, 0) : undefined),
    '0 - x = -x': (node, make) => (is(arg(node, 0), 0) ? make.op('neg', [arg(node, 1)]) : undefined),
    'a - (-b) = a + b': (node, make) => {
      const b = under(arg(node, 1), 'neg');
      return b && make.op('add', [arg(node, 0), b]);
    },
    'i - i = 0 for ints': (node, make) =>
      isInt(node) && arg(node, 0) === arg(node, 1) ? make.literal(0, node.type) : undefined,
    ...oneShift,
  },
  mul: {
    '1 x = x': eitherWay((x, one) => (is(one, 1) ? x : undefined)),
    '-1 x = -x': eitherWay((x, minus, _, make) => (is(minus, -1) ? make.op('neg', [x]) : undefined)),
    '0 i = 0 for ints': eitherWay((zero, _, node, make) =>
      isInt(node) && is(zero, 0) ? make.literal(0, node.type) : undefined,
    ),
    '(-a) (-b) = a b': (node, make) => {
      const [a, b] = [under(arg(node, 0), 'neg'), under(arg(node, 1), 'neg')];
      return a && b && make.op('mul', [a, b]);
    },
    '(-a) 2 = a (-2)': eitherWay((negative, literal, node, make) => {
      const [a, value] = [under(negative, 'neg'), numberOf(literal)];
      if (!a || value === undefined) return undefined;
      return make.op('mul', [a, make.literal(isInt(node) ? -value | 0 : -value, node.type)]);
    }),
  },
  div: {
    'x / 1 = x': (node) => (is(arg(node, 1), 1) ? arg(node, 0) : undefined),
    'x / -1 = -x': (node, make) => (is(arg(node, 1), -1) ? make.op('neg', [arg(node, 0)]) : undefined),
    '(-a) / (-b) = a / b': (node, make) => {
      const [a, b] = [under(arg(node, 0), 'neg'), under(arg(node, 1), 'neg')];
      return a && b && make.op('div', [a, b]);
    },
    'x / 2^n = x 2^-n': (node, make) => {
      const value = numberOf(arg(node, 1));
      if (value === undefined || !isPowerOfTwo(value)) return undefined;
      return make.op('mul', [arg(node, 0), make.literal(1 / value, node.type)]);
    },
  },
  minimum: {
    ...same,
    'nothing is above infinity': eitherWay((x, bound) => (is(bound, Infinity) ? x : undefined)),
    'of two literal bounds the lower': eitherWay(gathered('minimum', Math.min)),
  },
  maximum: {
    ...same,
    'nothing is below minus infinity': eitherWay((x, bound) => (is(bound, -Infinity) ? x : undefined)),
    'of two literal bounds the higher': eitherWay(gathered('maximum', Math.max)),
  },
  pow: {
    'x^0 = 1': (node, make) =>
      is(arg(node, 1), 0) ? make.as(make.literal(1, node.type), node.type) : undefined,
    'x^1 = x': (node) => (is(arg(node, 1), 1) ? arg(node, 0) : undefined),
    'x^2 = x x': (node, make) =>
      is(arg(node, 1), 2) ? make.op('mul', [arg(node, 0), arg(node, 0)]) : undefined,
  },
  mod: {
    'nothing remains of a division by 1, -1 or (by definition) 0': (node, make) =>
      isInt(node) && [0, 1, -1].includes(numberOf(arg(node, 1)) ?? NaN)
        ? make.literal(0, node.type)
        : undefined,
    'a remainder is its own remainder': (node) => {
      const inner = arg(node, 0);
      return isInt(node) && inner.op === 'mod' && arg(inner, 1) === arg(node, 1) ? inner : undefined;
    },
  },
  floorDiv: {
    'floor(x / 1) = floor(x)': (node, make) => {
      if (!is(arg(node, 1), 1)) return undefined;
      return isInt(node) ? arg(node, 0) : make.op('floor', [arg(node, 0)]);
    },
    'floor(i / -1) = -i for ints': (node, make) =>
      isInt(node) && is(arg(node, 1), -1) ? make.op('neg', [arg(node, 0)]) : undefined,
    'floor(i / 0) is 0 for ints, by definition': (node, make) =>
      isInt(node) && is(arg(node, 1), 0) ? make.literal(0, node.type) : undefined,
  },
};
