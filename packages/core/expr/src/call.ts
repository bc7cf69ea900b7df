// What each function of the formula language takes: a table by op, and the three that are made of others.

import { gelu, relu, square } from './author.ts';
import { ExpressionError } from './error.ts';
import { build, constant } from './infer.ts';
import { asExpr, asNode, type Expr, type Graph, isExpr, type Node } from './node.ts';
import { floatUnary, type Op } from './op.ts';
import { alike } from './promote.ts';

/** An argument as it was read: a numeral without a kind yet, an expression, or a text. */
export type Argument = number | Expr | { readonly text: string };

/**
 * `number`: numbers that take each other's kind; `value`: an expression, a numeral is a float; `index`: a numeral is an
 * int; `indices`: one or more of these; `conditions`: two or more; `axis`: 0 or 1, may be left out; `dim`: a text.
 */
type Parameter = 'number' | 'value' | 'index' | 'indices' | 'conditions' | 'axis' | 'dim';

const one = ['number'] as const;
const two = ['number', 'number'] as const;
const vector = ['value'] as const;
const pair = ['value', 'value'] as const;

const parameters: { readonly [O in Op]: readonly Parameter[] | null } = {
  // Written as such, not called.
  const: null,
  input: null,
  size: ['dim'],
  neg: one,
  abs: one,
  sign: one,
  exp: one,
  log: one,
  log1p: one,
  tanh: one,
  sigmoid: one,
  sqrt: one,
  rsqrt: one,
  floor: one,
  erf: one,
  sin: one,
  cos: one,
  not: vector,
  toFloat: vector,
  toInt: vector,
  add: two,
  sub: two,
  mul: two,
  div: two,
  minimum: two,
  maximum: two,
  pow: two,
  mod: two,
  floorDiv: two,
  lt: two,
  le: two,
  gt: two,
  ge: two,
  eq: two,
  ne: two,
  and: ['conditions'],
  or: ['conditions'],
  select: ['value', 'number', 'number'],
  dot: pair,
  sum: vector,
  max: vector,
  min: vector,
  norm: vector,
  concat: pair,
  slice: ['value', 'axis', 'dim', 'dim'],
  place: ['value', 'axis', 'dim', 'dim'],
  fill: ['value', 'dim'],
  pick: ['value', 'index'],
  spread: ['value', 'index', 'dim'],
  matvec: pair,
  vecmat: pair,
  outer: pair,
  at: ['value', 'indices'],
  entry: ['value', 'indices'],
  random: ['index', 'index', 'index', 'index'],
};

const derived: ReadonlyMap<string, (a: Expr<never>) => Expr> = new Map([
  ['gelu', gelu],
  ['relu', relu],
  ['square', square],
]);

/** Every name that can be called. */
export const callable: ReadonlySet<string> = new Set([
  ...Object.entries(parameters).flatMap(([op, takes]) => (takes ? [op] : [])),
  ...derived.keys(),
]);

const floatsOnly: ReadonlySet<string> = new Set([...floatUnary, 'div', 'pow']);

/** Calls a function of the language. @throws ExpressionError, without a place, for arguments that do not fit. */
export function call(home: Graph, name: string, given: readonly Argument[]): Expr {
  const made = derived.get(name);
  const takes = made ? one : (parameters[name as Op] as readonly Parameter[]);
  const slots = fit(name, takes, given);
  if (made) return made(asExpr<never>(settle(home, slots[0]?.[1] as number | Expr, 'value')));
  const operands = slots.filter(
    (slot): slot is [Parameter, number | Expr] => slot[0] !== 'axis' && slot[0] !== 'dim',
  );
  const numbers = operands.filter(([kind]) => kind === 'number').map(([, arg]) => arg);
  const met = alike(home, numbers, floatsOnly.has(name));
  const args = operands.map(([kind, arg]) =>
    kind === 'number' ? (met.shift() as Node) : settle(home, arg, kind),
  );
  if (takes[0] === 'conditions') {
    return asExpr(args.reduce((all, arg) => build(home, name as Op, [all, arg], null)));
  }
  return asExpr(build(home, name as Op, args, dataOf(takes, slots)));
}

/** Pairs arguments with what they are for. */
function fit(name: string, takes: readonly Parameter[], given: readonly Argument[]): [Parameter, Argument][] {
  const last = takes.at(-1) as Parameter;
  const many = last === 'indices' || last === 'conditions';
  const least = takes.filter((kind) => kind !== 'axis').length + (last === 'conditions' ? 1 : 0);
  if (given.length < least || (!many && given.length > takes.length)) {
    throw new ExpressionError(`expected ${shape(name, takes)}, got ${given.length} arguments.`);
  }
  const kinds = given.length < takes.length && !many ? takes.filter((kind) => kind !== 'axis') : takes;
  return given.map((arg, i) => {
    const kind = kinds[i] ?? last;
    const isText = typeof arg === 'object' && 'text' in arg;
    const fits = kind === 'dim' ? isText : kind === 'axis' ? arg === 0 || arg === 1 : !isText;
    if (fits) return [kind, arg];
    const got = isText ? `the text '${arg.text}'` : isExpr(arg) ? 'an expression' : String(arg);
    throw new ExpressionError(`expected ${shape(name, takes)}, got ${got} as argument ${i + 1}.`);
  });
}

const shape = (name: string, takes: readonly Parameter[]): string => {
  const words = takes.map((kind, i) => {
    if (kind === 'dim') return i === takes.length - 2 ? "'from'" : "'dim'";
    return kind === 'indices' ? 'index, ...' : kind === 'conditions' ? 'condition, condition, ...' : kind;
  });
  return `${name}(${words.join(', ')})`;
};

/** A numeral becomes a literal of the kind its position asks for. */
const settle = (home: Graph, arg: number | Expr, kind: Parameter): Node =>
  typeof arg === 'number'
    ? constant(home, arg, kind === 'index' || kind === 'indices' ? 'int' : 'float')
    : asNode(arg);

function dataOf(
  takes: readonly Parameter[],
  slots: readonly (readonly [Parameter, Argument])[],
): Node['data'] {
  const [first, second] = slots
    .filter(([kind]) => kind === 'dim')
    .map(([, arg]) => (arg as { text: string }).text);
  if (first === undefined) return null;
  if (second === undefined) return { dim: first };
  const axis = slots.find(([kind]) => kind === 'axis')?.[1] ?? 0;
  return { axis: takes.includes('axis') ? (axis as number) : 0, from: first, dim: second };
}
