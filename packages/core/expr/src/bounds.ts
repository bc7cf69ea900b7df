// Between which numbers an expression lies when its inputs lie in a box: what to skip without computing it.

import { ExpressionError } from './error.ts';
import * as ints from './int-interval.ts';
import type { Interval, Range } from './interval.ts';
import * as floats from './interval.ts';
import { atom, combine, type Linear, literalForm, spanOf } from './linear.ts';
import { floatToInt } from './meaning.ts';
import { asNode, type Expr, type Node, type NodeOf } from './node.ts';
import type { ArithmeticBinary, Comparison, FloatUnary, Op } from './op.ts';
import { type Bool, describeType, type Sizes, sizeOf } from './type.ts';
import { reachable } from './walk.ts';

export type { Interval } from './interval.ts';

/** Intervals of inputs by name. Inputs that are not named may be anything. */
export type Box = Readonly<Record<string, Interval>>;

/** What a rule may ask: the ranges of nodes visited before, ints as linear forms, the box, the sizes. */
interface Known {
  range(node: Node): Range;
  form(node: Node): Linear;
  readonly box: Box;
  readonly sizes: Sizes;
}
type Rule<O extends Op> = (node: NodeOf<O>, known: Known) => Range;

/**
 * Bounds made ready to be asked for many boxes, such as the tiles of a table: see `bounds`.
 */
export function bounder(root: Expr, sizes: Sizes = {}): (box: Box) => Interval {
  const nodes = [...reachable([asNode(root)])];
  return (box) => {
    const ranges = new Map<Node, Range>();
    const forms = new Map<Node, Linear>();
    const known: Known = {
      range: (node) => ranges.get(node) as Range,
      form: (node) => forms.get(node) ?? atom(node),
      box,
      sizes,
    };
    for (const node of nodes) {
      const range = (rules[node.op] as Rule<Op>)(node as NodeOf<Op>, known);
      const linear = node.type.element === 'int' ? follow(node, known) : undefined;
      const span = linear && spanOf(linear, known.range);
      // Only a sum that does not wrap is the number that its form says.
      if (linear && span && ints.fits(span)) {
        forms.set(node, linear);
        ranges.set(node, {
          low: Math.max(range.low, span.low),
          high: Math.min(range.high, span.high),
          nan: false,
        });
      } else {
        ranges.set(node, range);
      }
    }
    const { low, high, nan } = known.range(asNode(root));
    return nan ? { low, high, nan } : { low, high };
  };
}

/**
 * An interval that contains every value, NaN apart, that the expression takes for inputs in the box, evaluated in float64
 * or in float32; `nan` says whether NaN may come out too. A vector has one interval for all its elements, a bool lies
 * in [0, 1], a table's interval is that of its entries (reads outside add 0).
 *
 * Exact for ints combined by + - and literal factors, mod within a period, floorDiv, minimum, maximum, abs and
 * comparisons, as long as nothing occurs twice; what occurs twice in a sum of ints cancels. Floats are rounded outward.
 *
 * @param box by name; an input that is not named may be anything, NaN included, a named one is not NaN unless it says so.
 * @param sizes of dims, where sums over vectors are to be bounded.
 * @throws ExpressionError for an interval of the box whose low is above its high.
 */
export function bounds(root: Expr, box: Box, sizes: Sizes = {}): Interval {
  return bounder(root, sizes)(box);
}

/** Whether a condition holds for all inputs in the box (true), for none (false), or depends (undefined). */
export function decide(root: Expr<Bool>, box: Box, sizes: Sizes = {}): boolean | undefined {
  const { low, high } = bounds(root, box, sizes);
  return low === high ? low === 1 : undefined;
}

const arg = (node: { readonly args: readonly Node[] }, i: number): Node => node.args[i] as Node;
const isInt = (node: { readonly type: Node['type'] }): boolean => node.type.element === 'int';

/** The linear form of an int, if it has one. */
function follow(node: Node, { form }: Known): Linear | undefined {
  switch (node.op) {
    case 'const':
      return literalForm(node.data.value);
    case 'add':
      return combine(form(arg(node, 0)), form(arg(node, 1)), 1);
    case 'sub':
      return combine(form(arg(node, 0)), form(arg(node, 1)), -1);
    case 'neg':
      return combine(literalForm(0), form(arg(node, 0)), -1);
    case 'mul': {
      const [a, b] = [form(arg(node, 0)), form(arg(node, 1))];
      if (a.terms.size === 0) return combine(literalForm(0), b, a.constant);
      return b.terms.size === 0 ? combine(literalForm(0), a, b.constant) : undefined;
    }
    default:
      return undefined;
  }
}

type Two = (a: Range, b: Range) => Range;
const two =
  (onFloats: Two, onInts?: Two) =>
  (node: NodeOf<ArithmeticBinary>, { range }: Known): Range => {
    const [a, b] = [range(arg(node, 0)), range(arg(node, 1))];
    return onInts && isInt(node) ? onInts(a, b) : onFloats(a, b);
  };
const one =
  (of: (a: Range) => Range, ofInt = of) =>
  (node: NodeOf<Op>, { range }: Known): Range =>
    (isInt(node) ? ofInt : of)(range(arg(node, 0)));
const float = (node: NodeOf<FloatUnary>, { range }: Known): Range =>
  floats.floatFunctions[node.op](range(arg(node, 0)));

const truth = (mayBeTrue: boolean, mayBeFalse: boolean): Range => ({
  low: mayBeFalse ? 0 : 1,
  high: mayBeTrue ? 1 : 0,
  nan: false,
});

/** a - b as far as comparing goes: its sign, and whether NaN keeps a and b from being compared. */
function difference(node: { readonly args: readonly Node[] }, { range, form }: Known): Range {
  const [left, right] = [arg(node, 0), arg(node, 1)];
  const [a, b] = [range(left), range(right)];
  if (left === right) return { ...floats.zero, nan: a.nan };
  // Two equal infinities do not differ.
  const finite = (x: number): number => (Number.isNaN(x) ? 0 : x);
  const direct = { low: finite(a.low - b.high), high: finite(a.high - b.low) };
  const linear = isInt(left) ? combine(form(left), form(right), -1) : undefined;
  const span = linear ? spanOf(linear, range) : direct;
  return { low: Math.max(direct.low, span.low), high: Math.min(direct.high, span.high), nan: a.nan || b.nan };
}

const compare =
  (holds: (difference: number) => boolean, middle: boolean, ofNaN = false) =>
  (node: NodeOf<Comparison>, known: Known): Range => {
    const { low, high, nan } = difference(node, known);
    // The ends, and zero between them, where `eq` and `ne` change.
    const cases = [
      holds(low),
      holds(high),
      ...(low < 0 && high > 0 ? [middle] : []),
      ...(nan ? [ofNaN] : []),
    ];
    return truth(cases.includes(true), cases.includes(false));
  };

/** How many elements a vector or matrix has along an axis. */
const count = (node: Node, axis: number, { sizes }: Known): number | undefined =>
  sizeOf(node.type.dims[axis] as string, sizes);

const product =
  (matrix: number, vector: number, axis: number) =>
  (node: NodeOf<Op>, known: Known): Range => {
    const products = floats.mul(known.range(arg(node, matrix)), known.range(arg(node, vector)));
    return floats.total(products, count(arg(node, vector), axis, known));
  };

/** The largest or smallest element: of no elements it is the infinity on the other side. */
const extreme =
  (empty: number) =>
  (node: NodeOf<'max' | 'min'>, known: Known): Range => {
    const range = known.range(arg(node, 0));
    const elements = count(arg(node, 0), 0, known);
    const none = { low: empty, high: empty, nan: false };
    return elements === 0 ? none : elements === undefined ? floats.union(range, none) : range;
  };

const orZero = (node: NodeOf<Op>, { range }: Known): Range => floats.union(range(arg(node, 0)), floats.zero);

function inputRange({ type, data: { name } }: NodeOf<'input'>, { box }: Known): Range {
  const widest =
    type.element === 'int' ? ints.everyInt : type.element === 'bool' ? truth(true, true) : floats.everything;
  if (!Object.hasOwn(box, name)) return widest;
  const { low, high, nan = false } = box[name] as Interval;
  if (!(low <= high)) {
    throw new ExpressionError(
      `bounds: input "${name}": expected an interval with low <= high, got low ${low}, high ${high}.`,
    );
  }
  if (type.element === 'float') return floats.around(low, high, nan);
  const [least, most] = [Math.max(Math.ceil(low), widest.low), Math.min(Math.floor(high), widest.high)];
  if (least <= most) return { low: least + 0, high: most + 0, nan: false };
  throw new ExpressionError(
    `bounds: input "${name}": expected an interval that holds a value of ${describeType(type)}, got ${low} to ${high}.`,
  );
}

const rules: { readonly [O in Op]: Rule<O> } = {
  const: ({ type, data: { value } }) =>
    type.element === 'float'
      ? floats.around(value, value, Number.isNaN(value))
      : { low: value, high: value, nan: false },
  input: inputRange,
  size: ({ data }, { sizes }) => {
    const size = sizeOf(data.dim, sizes);
    return size === undefined ? { low: 0, high: Infinity, nan: false } : floats.around(size, size);
  },
  neg: one(floats.neg, ints.negInt),
  abs: one(floats.abs, ints.absInt),
  sign: one(floats.sign),
  exp: float,
  log: float,
  log1p: float,
  tanh: float,
  sigmoid: float,
  sqrt: float,
  rsqrt: float,
  floor: float,
  erf: float,
  sin: float,
  cos: float,
  not: one(({ low, high }) => ({ low: 1 - high, high: 1 - low, nan: false })),
  toFloat: one((a) => floats.around(a.low, a.high, a.nan)),
  toInt: (node, { range }) => {
    const { low, high, nan } = range(arg(node, 0));
    const whole = { low: floatToInt(low), high: floatToInt(high), nan: false };
    return nan ? floats.union(whole, floats.zero) : whole;
  },
  add: two(floats.add, ints.addInts),
  sub: (node, known) => {
    const [left, right] = [known.range(arg(node, 0)), known.range(arg(node, 1))];
    if (isInt(node)) return ints.subInts(left, right);
    if (arg(node, 0) === arg(node, 1)) return { ...floats.zero, nan: left.nan || floats.infinite(left) };
    return floats.add(left, floats.neg(right));
  },
  mul: two(floats.mul, ints.mulInts),
  div: two(floats.div),
  minimum: two(floats.minimum),
  maximum: two(floats.maximum),
  pow: two(floats.pow),
  mod: two(floats.mod, ints.modInts),
  floorDiv: two(floats.floorDiv, ints.floorDivInts),
  lt: compare((d) => d < 0, false),
  le: compare((d) => d <= 0, true),
  gt: compare((d) => d > 0, false),
  ge: compare((d) => d >= 0, true),
  eq: compare((d) => d === 0, true),
  ne: compare((d) => d !== 0, false, true),
  and: (node, { range }) => floats.minimum(range(arg(node, 0)), range(arg(node, 1))),
  or: (node, { range }) => floats.maximum(range(arg(node, 0)), range(arg(node, 1))),
  select: (node, { range }) => {
    const condition = range(arg(node, 0));
    if (condition.low === condition.high) return range(arg(node, condition.low === 1 ? 1 : 2));
    return floats.union(range(arg(node, 1)), range(arg(node, 2)));
  },
  dot: product(0, 1, 0),
  sum: (node, known) => floats.total(known.range(arg(node, 0)), count(arg(node, 0), 0, known)),
  max: extreme(-Infinity),
  min: extreme(Infinity),
  norm: (node, known) => floats.length(known.range(arg(node, 0)), count(arg(node, 0), 0, known)),
  concat: (node, { range }) => floats.union(range(arg(node, 0)), range(arg(node, 1))),
  slice: one((a) => a),
  place: orZero,
  fill: one((a) => a),
  pick: (node, known) => {
    const [index, elements] = [known.range(arg(node, 1)), count(arg(node, 0), 0, known)];
    const inside = elements !== undefined && index.low >= 0 && index.high < elements;
    return inside ? known.range(arg(node, 0)) : orZero(node as NodeOf<Op>, known);
  },
  spread: orZero,
  matvec: product(0, 1, 0),
  vecmat: product(1, 0, 0),
  outer: (node, { range }) => floats.mul(range(arg(node, 0)), range(arg(node, 1))),
  at: orZero,
  entry: orZero,
  random: () => ({ low: 0, high: 1 - 2 ** -24, nan: false }),
};
