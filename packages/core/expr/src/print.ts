// Expressions as text: one text for one structure, short enough to read, exact enough to stand for it.

import { asNode, type Expr, literal, type Node, type NodeOf } from './node.ts';
import type { Op } from './op.ts';
import { describeType, type Type } from './type.ts';
import { reachable } from './walk.ts';

export interface PrintOptions {
  /**
   * Begin with the declaration of every input: `left: vec(width) along left; right: ...`. With it equal text means
   * equal structure and equal types; without it the types of inputs are left out.
   */
  readonly inputs?: boolean;
}

/** Words that cannot be the bare name of an input: the formula language reads them otherwise. */
export const words: ReadonlySet<string> = new Set([
  'and',
  'or',
  'not',
  'if',
  'then',
  'else',
  'true',
  'false',
  'NaN',
  'Infinity',
]);

/** Names that need no backticks: words joined by dots. */
const PLAIN_NAME = /^[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*$/;
/** The names that print gives to shared parts. */
const SHARED_NAME = /^t[1-9]\d*$/;

/** An unshared chain deeper than this is cut by a binding, so that whoever reads the text back needs no deep stack. */
const DEEPEST = 64;

/**
 * The text of an expression: calls by the name of the op, and a binding for every part that is used more than once,
 * `t1 = tanh(add(a, b)); mul(t1, t1)`, so that the text grows as the graph does. `parse` reads it back.
 */
export function print(root: Expr, options: PrintOptions = {}): string {
  const nodes = [...reachable([asNode(root)])];
  const names = inputNames(nodes);
  const uses = new Map<Node, number>();
  for (const arg of nodes.flatMap((node) => node.args)) uses.set(arg, (uses.get(arg) ?? 0) + 1);

  const written = new Map<Node, { text: string; depth: number }>();
  const lines: string[] = options.inputs ? declarations(nodes, names) : [];
  let bound = 0;
  for (const node of nodes) {
    const args = node.args.map((arg) => written.get(arg) as { text: string; depth: number });
    const depth = 1 + Math.max(-1, ...args.map((arg) => arg.depth));
    const text =
      node.op === 'input'
        ? (names.get(node) as string)
        : (forms[node.op] as Form)(
            node,
            args.map((arg) => arg.text),
          );
    const shared = node.args.length > 0 && (uses.get(node) ?? 0) > 1;
    if (node !== asNode(root) && (shared || depth === DEEPEST)) {
      bound++;
      lines.push(`t${bound} = ${text}`);
      written.set(node, { text: `t${bound}`, depth: 0 });
    } else {
      written.set(node, { text, depth });
    }
  }
  return [...lines, written.get(asNode(root))?.text].join('; ');
}

/** The inputs of an expression, their types and axes, in the order of first use: the head of the full print. */
export function signature(root: Expr): string {
  const nodes = [...reachable([asNode(root)])];
  return declarations(nodes, inputNames(nodes)).join('; ');
}

const declarations = (nodes: readonly Node[], names: ReadonlyMap<Node, string>): string[] =>
  nodes
    .filter((node) => node.op === 'input')
    .map(({ type, data }, i) => {
      const along =
        data.along.length === 0 ? '' : ` along ${data.along.map((axis) => name(axis)).join(', ')}`;
      return `${[...names.values()][i]}: ${typeText(type)}${along}`;
    });

/** As describeType, with dims that are not plain words quoted: they could hold a comma. */
const typeText = (type: Type): string =>
  describeType({ ...type, dims: type.dims.map((dim) => (/^[\w+]+$/.test(dim) ? dim : quote(dim))) });

/** Two inputs may share a name and differ in type or axes: from the second on a number tells them apart. */
function inputNames(nodes: readonly Node[]): Map<Node, string> {
  const seen = new Map<string, number>();
  const names = new Map<Node, string>();
  for (const node of nodes) {
    if (node.op !== 'input') continue;
    const count = (seen.get(node.data.name) ?? 0) + 1;
    seen.set(node.data.name, count);
    names.set(node, count === 1 ? name(node.data.name) : `${name(node.data.name)}#${count}`);
  }
  return names;
}

const name = (of: string): string =>
  PLAIN_NAME.test(of) && !SHARED_NAME.test(of) && !words.has(of) ? of : quote(of, '`');

const quote = (text: string, mark = "'"): string =>
  mark + JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll(mark, `\\${mark}`) + mark;

type Form = (node: Node, args: readonly string[]) => string;
const call = (node: { readonly op: Op }, args: readonly string[]): string => `${node.op}(${args.join(', ')})`;

const cut = (node: NodeOf<'slice' | 'place'>, args: readonly string[]): string => {
  const { axis, from, dim } = node.data;
  return call(node, [...args, ...(axis === 0 ? [] : [String(axis)]), quote(from), quote(dim)]);
};

const forms: { readonly [O in Op]: (node: NodeOf<O>, args: readonly string[]) => string } = {
  const: ({ type, data: { value } }) =>
    type.element === 'bool' ? String(value !== 0) : type.element === 'int' ? `${value}i` : literal(value),
  input: ({ data }) => name(data.name),
  size: (node) => call(node, [quote(node.data.dim)]),
  slice: cut,
  place: cut,
  fill: (node, args) => call(node, [...args, quote(node.data.dim)]),
  spread: (node, args) => call(node, [...args, quote(node.data.dim)]),
  neg: call,
  abs: call,
  sign: call,
  exp: call,
  log: call,
  log1p: call,
  tanh: call,
  sigmoid: call,
  sqrt: call,
  rsqrt: call,
  floor: call,
  erf: call,
  sin: call,
  cos: call,
  not: call,
  toFloat: call,
  toInt: call,
  add: call,
  sub: call,
  mul: call,
  div: call,
  minimum: call,
  maximum: call,
  pow: call,
  mod: call,
  floorDiv: call,
  lt: call,
  le: call,
  gt: call,
  ge: call,
  eq: call,
  ne: call,
  and: call,
  or: call,
  select: call,
  dot: call,
  sum: call,
  max: call,
  min: call,
  norm: call,
  concat: call,
  pick: call,
  matvec: call,
  vecmat: call,
  outer: call,
  at: call,
  entry: call,
  random: call,
};
