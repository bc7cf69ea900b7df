// What the gradient of an attention does, from its program alone: what each pair gives to which input, and by which way the
// gradient of each input is summed.

import {
  asExpr,
  asNode,
  build,
  type Cheaper,
  type Expr,
  graph,
  input,
  type Node,
  print,
  type RowTerm,
  reachable,
  rebuild,
  rowTerms,
} from '@heed/expr';
import type { AttendGradientProgram, AttendInput, AttendProgram, Partials, Unsupported } from '@heed/tensor';
import { poolOf } from '../attend/formulas.ts';
import type { Design } from '../attend/kernel.ts';
import { dimsOf, type Operand, variesAlong } from '../attend/operand.ts';
import { scoreTerm } from '../attend/relative.ts';
import type { TileShape } from '../attend/shape.ts';
import { product } from '../walk.ts';

/** A tile of pairs: 32 rows by 32 keys. */
export const SHAPE = { down: 8, across: 8, group: 4, width: 4 } as const satisfies TileShape;

/** What a change of an input passes through; `value` is the sum of weights times values itself. */
export type Stage = keyof Partials | 'value';

/** What a pair gives to an input: the numbers of `node` times how the loss changes with the stage. */
export interface Part {
  readonly stage: Stage;
  readonly node: Node;
  /** The entry of a table that it belongs to. */
  readonly indices: readonly Node[];
}

/** A part that is a sum of rows of the other side, each times a scalar of the pair: what a product of tiles sums. */
export interface StageTerm extends RowTerm {
  readonly stage: Stage;
}

/**
 * How the gradient of an input is summed.
 *   - product   a product of a tile of scalars with a tile of rows of the other side
 *   - elements  each number by its formula
 *   - table     each number by its formula, added to the entry that its indices name
 */
export type Sum =
  | { readonly by: 'product'; readonly terms: readonly StageTerm[] }
  | { readonly by: 'elements' | 'table' };

/** An input whose gradient is asked for. */
export interface Target {
  readonly name: string;
  readonly operand: Operand;
  readonly byQuery: boolean;
  readonly byKey: boolean;
  readonly dims: readonly number[];
  /** Numbers of one place. */
  readonly width: number;
  /** What pairs give, and what the sink of a row does. */
  readonly pair: readonly Part[];
  readonly sink: readonly Part[];
  /** The same as `pair` where all guards hold; null where nothing is cheaper. */
  readonly cheaper: readonly Part[] | null;
  readonly sum: Sum;
}

export interface GradientDesign {
  readonly program: AttendGradientProgram;
  /** The attention's own design; its operands include the gradient of the context. */
  readonly design: Design;
  readonly targets: readonly Target[];
  /** gradient of context . value of a pair; null where no gradient of the context comes. */
  readonly context: { readonly gradient: Node; readonly value: Node; readonly product: Expr | null } | null;
  /** Whether a level is given. */
  readonly solved: boolean;
  /** Whether the level moves when scores do: then sums over each row are taken first. */
  readonly moving: boolean;
  readonly byLogSumExp: boolean;
  /** Whether scores and levels may be counted from an origin. */
  readonly relative: boolean;
  readonly pool: number;
  /** Of cheaper scores and partials: one float for each tile, nonzero where a guard holds in all of it. */
  readonly guards: readonly Operand[];
}

export const CONTEXT = 'grad$context';

/**
 * The attention whose cheaper score also has the rows and guards of the gradient's cheaper partials, and these partials.
 * Rows that only the partials read go by another name, for the two may call different rows alike.
 */
export function cheapened({ of, cheaper }: AttendGradientProgram): {
  readonly of: AttendProgram;
  readonly partials: Readonly<Record<string, Expr>>;
} {
  if (!cheaper) return { of, partials: {} };
  const known = of.cheaper?.rows ?? [];
  const names = new Map(
    cheaper.rows.map(({ name, body }) => {
      const same = known.find((row) => print(row.body) === print(body));
      return [name, same?.name ?? `${name}$gradient`];
    }),
  );
  const roots = rebuild(Object.values(cheaper.roots), (node, home) => {
    const name = node.op === 'input' ? names.get(node.data.name) : undefined;
    return node.op === 'input' && name ? input(home, name, node.type, node.data.along) : node;
  });
  const limits = new Map<string, number>();
  for (const { input: name, limit } of [...(of.cheaper?.guards ?? []), ...cheaper.guards])
    limits.set(name, Math.min(limit, limits.get(name) ?? limit));
  const all: Cheaper = {
    roots: { score: of.cheaper?.roots.score ?? of.score },
    rows: [
      ...known,
      ...cheaper.rows
        .map((row) => ({ ...row, name: names.get(row.name) as string }))
        .filter(({ name }) => !known.some((row) => row.name === name)),
    ],
    guards: [...limits].map(([name, limit]) => ({ input: name, limit })),
    reasons: cheaper.reasons,
    error: cheaper.error,
  };
  return {
    of: { ...of, cheaper: all },
    partials: Object.fromEntries(Object.keys(cheaper.roots).map((name, i) => [name, roots[i] as Expr])),
  };
}

export function gradientOf(
  program: AttendGradientProgram,
  design: Design,
  cheaper: Readonly<Record<string, Expr>> = {},
  guards: readonly Operand[] = [],
): GradientDesign {
  const { of, wrt, upstream } = program;
  const { by } = of.normalizer.level;
  const moving = by === 'root' || by === 'log-sum-exp';
  const context = upstream.context ? contextOf(program) : null;
  const targets = wrt.map((name) =>
    targetOf(program, design, name, moving, context?.gradient ?? null, cheaper[name] ?? null),
  );
  // What a level gives directly, at a weight's own inputs fixed, is not the same counted from elsewhere.
  const direct = upstream.level && targets.some(({ pair }) => pair.some(({ stage }) => stage === 'weight'));
  return {
    program,
    design,
    targets,
    context,
    solved: by !== 'none',
    moving,
    byLogSumExp: by === 'log-sum-exp',
    relative: by === 'root' && !direct && scoreTerm(of.normalizer.weight, design.axes) !== null,
    pool: poolOf(of),
    guards,
  };
}

function contextOf({ of }: AttendGradientProgram): GradientDesign['context'] {
  const home = graph(of.score);
  const { type, along } = of.inputs[of.value] as AttendInput;
  const gradient = input(home, CONTEXT, type, ['batch', 'head', 'query']);
  const value = input(home, of.value, type, along);
  const op = ['mul', 'dot'][type.dims.length] as 'mul' | 'dot' | undefined;
  return { gradient, value, product: op ? asExpr(build(home, op, [gradient, value], null)) : null };
}

function targetOf(
  { of, partials, weightByScore }: AttendGradientProgram,
  { operands }: Design,
  name: string,
  moving: boolean,
  context: Node | null,
  cheaper: Expr | null,
): Target {
  const operand = operands[name] as Operand;
  const partsOf = (stages: readonly (keyof Partials)[]): Part[] =>
    stages.flatMap((stage) => {
      const partial = partials[name]?.[stage];
      // A weight that its score does not move passes nothing on.
      if (!partial || ((stage === 'score' || stage === 'sink') && !weightByScore)) return [];
      return entriesOf(asNode(partial)).map(([node, ...indices]) => ({ stage, node, indices }));
    });
  const pair: Part[] = partsOf(['score', 'reweight', 'weight']);
  if (name === of.value && context) pair.push({ stage: 'value', node: context, indices: [] });
  const sink = of.normalizer.sink && moving ? partsOf(['sink', 'weight']) : [];
  const dims = dimsOf(operand, of.sizes);
  const known = {
    name,
    operand,
    byQuery: variesAlong(operand, 'query'),
    byKey: variesAlong(operand, 'key'),
    dims,
    width: product(dims),
    pair,
    sink,
  };
  const sum = sumOf(known, operands);
  const within = (part: Part): Part =>
    part.stage === 'score' ? { ...part, node: asNode(cheaper as Expr) } : part;
  return { ...known, sum, cheaper: cheaper && sum.by === 'elements' ? pair.map(within) : null };
}

function sumOf(target: Omit<Target, 'sum' | 'cheaper'>, operands: Design['operands']): Sum {
  const { operand, byQuery, byKey, dims, pair, sink } = target;
  if (operand.type.lookups > 0) return { by: 'table' };
  if (byQuery === byKey || dims.length !== 1 || sink.length > 0) return { by: 'elements' };
  const other = byQuery ? 'key' : 'query';
  const own = byQuery ? 'query' : 'key';
  const terms: StageTerm[] = [];
  for (const { stage, node } of pair) {
    const found = rowTerms(node);
    if (!found) return { by: 'elements' };
    for (const term of found) {
      const row = operands[term.row];
      if (!row || row.type.lookups > 0 || !variesAlong(row, other) || variesAlong(row, own))
        return { by: 'elements' };
      terms.push({ ...term, stage });
    }
  }
  return { by: 'product', terms };
}

/** A partial as values and the indices of the entries they belong to; one that is no table has no index. */
function entriesOf(partial: Node): (readonly [Node, ...Node[]])[] {
  if (partial.type.lookups === 0) return [[partial]];
  if (partial.op === 'add') return partial.args.flatMap(entriesOf);
  return [partial.args as unknown as readonly [Node, ...Node[]]];
}

/** Every formula that parts of a target are made of. */
export const formulasOf = ({ pair, sink, cheaper }: Target): Expr[] =>
  [...pair, ...sink, ...(cheaper ?? [])].flatMap(({ node, indices }) =>
    [node, ...indices].map((one) => asExpr(one) as Expr),
  );

/** Whether a gradient runs here: partials are values, or entries of tables that no formula reads. */
export function supportsAttendGradient({ partials }: AttendGradientProgram): true | Unsupported {
  const roots = Object.values(partials).flatMap((stages) => Object.values(stages) as (Expr | null)[]);
  const nodes = reachable(roots.flatMap((root) => (root ? entriesOf(asNode(root)).flat() : [])));
  for (const node of nodes) {
    if (node.op === 'entry' || (node.op === 'at' && node.args[0]?.op !== 'input'))
      return {
        reason: 'the webgpu backend looks up tables that are inputs; a derivative makes one and reads it.',
      };
  }
  return true;
}
