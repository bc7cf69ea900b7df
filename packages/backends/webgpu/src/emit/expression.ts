// Expressions as lanes: what stands in the hole of every shader.
//
// A scalar node is computed once for each value of the group, in the order of the graph; a vector or matrix is never
// stored: the reduction that consumes it loops over its elements and asks for them one by one.

import {
  asNode,
  type Expr,
  type Node,
  type NodeOf,
  type Op,
  reachable,
  type Sizes,
  sizeOf,
} from '@heed/expr';
import { float, int, type Lanes, typeOf, type Width } from './lanes.ts';
import { type LanewiseOp, lanewise } from './lanewise.ts';
import { maximum, minimum } from './math/extreme.ts';
import { infinity, nan } from './math/special.ts';
import type { Code, ShaderWriter } from './shader.ts';

/** A position that is the same in all lanes: the name of an i32, or a literal. */
export type Position = string;

/**
 * Where the lanes of what an expression reads come from. Each kernel answers for its own: a map loads the elements under
 * its indices, an attention takes queries as the group and keys as the width. Lists of one stand for the whole group.
 */
export interface Source {
  /** How many values an input has: the whole group's, or one that stands for all of it. */
  group(input: NodeOf<'input'>): number;
  /** A scalar input; f32, i32 or bool by its element. */
  scalar(input: NodeOf<'input'>): Lanes;
  /** One number of a vector (one position) or matrix (row, column) that is an input. */
  element(input: NodeOf<'input'>, at: readonly Position[]): Lanes;
  /** One number of an entry of a table: indices by lane, positions within the entry. Zero outside the table. */
  lookup(table: NodeOf<'input'>, indices: readonly Lanes[], at: readonly Position[]): Lanes;
}

/** What an expression is written for. */
export interface Site {
  readonly shader: ShaderWriter;
  readonly code: Code;
  readonly width: Width;
  readonly sizes: Sizes;
}

type StructuralOp = Exclude<Op, LanewiseOp>;
/** What gives the number of a node at the positions: none for a scalar, one for a vector, two for a matrix. */
type Part<O extends StructuralOp> = (
  writer: ExpressionWriter,
  node: NodeOf<O>,
  at: readonly Position[],
) => Lanes;

/** The value of lanes for the i-th of the group. */
export const laneOf = (lanes: Lanes, i: number): string =>
  (lanes.length === 1 ? lanes[0] : lanes[i]) as string;

/** A number or truth value that is written out, in one lane or in all. */
const LITERAL = /^(vec4<\w+>\(|i32\()*(-?\d[\w.+-]*( - 1)?|true|false)\)*$/;

const arg = (node: { readonly args: readonly Node[] }, i: number): Node => node.args[i] as Node;

export class ExpressionWriter {
  readonly site: Site;
  readonly source: Source;
  /** What is known already, from the outermost block to the innermost. */
  readonly #scopes: Map<string, Lanes>[] = [new Map()];
  readonly #ids = new Map<Node, number>();
  readonly #groups = new Map<Node, number>();

  constructor(site: Site, source: Source) {
    this.site = site;
    this.source = source;
  }

  /** The lanes of scalar roots: a list of one where all of the group is the same. What they share is computed once. */
  write(...roots: readonly Expr[]): Lanes[] {
    // No scalar depends on a position, so all of them can be written ahead of the loops, arguments first.
    for (const node of reachable(roots.map(asNode)))
      if (isScalar(node) && node.op !== 'const' && node.op !== 'entry') this.part(node, []);
    return roots.map((root) => this.part(asNode(root), []));
  }

  /** The number of a node at the positions. */
  part(node: Node, at: readonly Position[]): Lanes {
    if (node.op === 'const') return this.#constant(node);
    const key = `${this.#id(node)}:${at.join()}`;
    for (const scope of this.#scopes) {
      const known = scope.get(key);
      if (known) return known;
    }
    const made = Object.hasOwn(lanewise, node.op)
      ? this.each(
          node.op,
          node.args.map((one) => this.part(one, isScalar(one) ? [] : at)),
          (args) =>
            lanewise[node.op as LanewiseOp](this.site.shader, this.site.width, this.#atRunTime(args), node),
        )
      : (structural[node.op as StructuralOp] as Part<StructuralOp>)(this, node as never, at);
    (this.#scopes.at(-1) as Map<string, Lanes>).set(key, made);
    return made;
  }

  /** Computes a value for each of the group, once where all arguments are the same for all of it. */
  each(hint: string, args: readonly Lanes[], write: (args: readonly string[]) => string): Lanes {
    const group = Math.max(1, ...args.map(({ length }) => length));
    return Array.from({ length: group }, (_, i) =>
      this.site.code.let(hint, write(args.map((lanes) => laneOf(lanes, i)))),
    );
  }

  /** A literal in all lanes. */
  splat(value: string, element: 'float' | 'int' | 'bool' = 'float'): Lanes {
    return [this.site.width === 1 ? value : `${typeOf(element, 4)}(${value})`];
  }

  /** The number behind a dim. @throws Error for a dim that the program gives no size. */
  size(dim: string): number {
    const size = sizeOf(dim, this.site.sizes);
    if (size === undefined) throw new Error(`The dim "${dim}" has no size.`);
    return size;
  }

  /**
   * Folds the elements of vectors: a loop with a variable for each value of the group. `by` are the nodes that decide how
   * many there are, `of` the elements at a position.
   */
  fold(
    by: readonly Node[],
    first: string,
    of: (at: Position) => readonly Lanes[],
    step: (sum: string, args: readonly string[]) => string,
  ): Lanes {
    const { code } = this.site;
    const size = this.size((by[0] as Node).type.dims.at(-1) as string);
    if (size === 0) return [first];
    const sums = this.#variables('sum', by, first);
    this.loop(by, size, (at) => {
      this.scoped(() => {
        const elements = of(at);
        sums.forEach((sum, i) => {
          code.set(
            sum,
            step(
              sum,
              elements.map((lanes) => laneOf(lanes, i)),
            ),
          );
        });
      });
    });
    return sums;
  }

  /** A loop over the positions of a fold. Kernels of tiles bring what it reads nearby first. */
  loop(_by: readonly Node[], size: number, body: (at: Position) => void): void {
    this.site.code.for('i', '0', String(size), body);
  }

  /** The first lanes where the condition, the same in all lanes, holds, else the second; only one of them is computed. */
  either(condition: string, by: readonly Node[], then: () => Lanes, otherwise: () => Lanes): Lanes {
    const { code } = this.site;
    const results = this.#variables('either', by, this.splat('0.0')[0] as string);
    const branch = (write: () => Lanes) => () =>
      this.scoped(() => {
        const lanes = write();
        results.forEach((result, i) => {
          code.set(result, laneOf(lanes, i));
        });
      });
    code.if(condition, branch(then), branch(otherwise));
    return results;
  }

  #variables(hint: string, by: readonly Node[], first: string): Lanes {
    const { code, width } = this.site;
    return Array.from({ length: this.#groupOf(by) }, () => code.var(hint, first, typeOf('float', width)));
  }

  /** A position further on. */
  shifted(at: Position, by: number): Position {
    return by === 0 ? at : this.site.code.let('at', `${at} + ${by}`);
  }

  /** Runs `write` and then forgets what it computed: for code within a block. */
  scoped(write: () => void): void {
    this.#scopes.push(new Map());
    write();
    this.#scopes.pop();
  }

  /** How many values of the group nodes have: one where nothing that they read varies within it. */
  #groupOf(nodes: readonly Node[]): number {
    for (const node of reachable(nodes)) {
      if (this.#groups.has(node)) continue;
      const own = node.op === 'input' ? this.source.group(node) : 1;
      this.#groups.set(node, Math.max(own, ...node.args.map((one) => this.#groups.get(one) ?? 1)));
    }
    return Math.max(1, ...nodes.map((node) => this.#groups.get(node) ?? 1));
  }

  #constant({ data, type }: NodeOf<'const'>): Lanes {
    const { shader, width } = this.site;
    if (type.element === 'int') return this.splat(int(data.value), 'int');
    if (type.element === 'bool') return this.splat(data.value === 0 ? 'false' : 'true', 'bool');
    const rounded = Math.fround(data.value);
    if (Number.isNaN(rounded)) return [`${shader.use(nan(width))}()`];
    if (Number.isFinite(rounded)) return this.splat(float(rounded));
    return [`${rounded < 0 ? '-' : ''}${shader.use(infinity(width))}()`];
  }

  /**
   * An operation on literals alone is computed by the compiler, which refuses what overflows or divides by zero. A `let`
   * is computed when the shader runs.
   */
  #atRunTime(args: readonly string[]): readonly string[] {
    const [first, ...others] = args;
    if (first === undefined || !args.every((one) => LITERAL.test(one))) return args;
    return [this.site.code.let('literal', first), ...others];
  }

  #id(node: Node): number {
    let id = this.#ids.get(node);
    if (id === undefined) {
      id = this.#ids.size;
      this.#ids.set(node, id);
    }
    return id;
  }
}

const isScalar = (node: Node): boolean => node.type.dims.length === 0 && node.type.lookups === 0;

const dot = (
  writer: ExpressionWriter,
  by: readonly Node[],
  a: (at: Position) => Lanes,
  b: (at: Position) => Lanes,
): Lanes =>
  writer.fold(
    by,
    writer.splat('0.0')[0] as string,
    (at) => [a(at), b(at)],
    (sum, [left, right]) => `${sum} + ${left} * ${right}`,
  );

/** The positions within a piece that begins at a dim's size along an axis of the whole, or the reverse. */
function moved(
  writer: ExpressionWriter,
  node: NodeOf<'slice' | 'place'>,
  at: readonly Position[],
  sign: 1 | -1,
): readonly Position[] {
  const from = writer.size(node.data.from);
  return at.map((one, axis) => (axis === node.data.axis ? writer.shifted(one, sign * from) : one));
}

const only = (at: readonly Position[]): Position => at[0] as Position;

const structural: { readonly [O in StructuralOp]: Part<O> } = {
  const: (writer, node) => writer.part(node, []),
  input: ({ source }, node, at) => (at.length === 0 ? source.scalar(node) : source.element(node, at)),
  size: (writer, node) => writer.splat(float(writer.size(node.data.dim))),
  dot: (writer, node) =>
    dot(
      writer,
      node.args,
      (at) => writer.part(arg(node, 0), [at]),
      (at) => writer.part(arg(node, 1), [at]),
    ),
  sum: (writer, node) =>
    writer.fold(
      node.args,
      writer.splat('0.0')[0] as string,
      (at) => [writer.part(arg(node, 0), [at])],
      (sum, [one]) => `${sum} + ${one}`,
    ),
  max: (writer, node) => extreme(writer, node, maximum, '-'),
  min: (writer, node) => extreme(writer, node, minimum, ''),
  norm: (writer, node) => {
    const one = (at: Position): Lanes => writer.part(arg(node, 0), [at]);
    return writer.each('norm', [dot(writer, node.args, one, one)], ([sum]) => `sqrt(${sum})`);
  },
  concat: (writer, node, at) => {
    const head = writer.size(arg(node, 0).type.dims[0] as string);
    return writer.either(
      `${only(at)} < ${head}`,
      node.args,
      () => writer.part(arg(node, 0), at),
      () => writer.part(arg(node, 1), [writer.shifted(only(at), -head)]),
    );
  },
  slice: (writer, node, at) => writer.part(arg(node, 0), moved(writer, node, at, 1)),
  place: (writer, node, at) => {
    const inside = moved(writer, node, at, -1);
    const along = inside[node.data.axis] as Position;
    const size = writer.size(arg(node, 0).type.dims[node.data.axis] as string);
    return writer.either(
      `${along} >= 0 && ${along} < ${size}`,
      node.args,
      () => writer.part(arg(node, 0), inside),
      () => writer.splat('0.0'),
    );
  },
  fill: (writer, node) => writer.part(arg(node, 0), []),
  spread: (writer, node, at) => {
    const here = writer.splat(only(at), 'int');
    const zero = writer.splat('0.0');
    return writer.each(
      'spread',
      [writer.part(arg(node, 0), []), writer.part(arg(node, 1), []), here, zero],
      ([value, index, position, none]) => `select(${none}, ${value}, ${index} == ${position})`,
    );
  },
  pick: (writer, node) => {
    const index = writer.part(arg(node, 1), []);
    return writer.fold(
      node.args,
      writer.splat('0.0')[0] as string,
      (at) => [writer.part(arg(node, 0), [at]), index, writer.splat(at, 'int')],
      (found, [value, wanted, position]) => `select(${found}, ${value}, ${wanted} == ${position})`,
    );
  },
  matvec: (writer, node, at) =>
    dot(
      writer,
      node.args,
      (column) => writer.part(arg(node, 0), [only(at), column]),
      (column) => writer.part(arg(node, 1), [column]),
    ),
  vecmat: (writer, node, at) =>
    dot(
      writer,
      node.args,
      (row) => writer.part(arg(node, 0), [row]),
      (row) => writer.part(arg(node, 1), [row, only(at)]),
    ),
  outer: (writer, node, [row, column]) =>
    writer.each(
      'outer',
      [writer.part(arg(node, 0), [row as Position]), writer.part(arg(node, 1), [column as Position])],
      ([a, b]) => `(${a} * ${b})`,
    ),
  at: (writer, node, at) =>
    writer.source.lookup(
      arg(node, 0) as NodeOf<'input'>,
      node.args.slice(1).map((index) => writer.part(index, [])),
      at,
    ),
  // A table that a derivative makes is a result, which the kernel that owns it scatters; nothing reads it lane by lane.
  entry: () => {
    throw new Error('A table made by a formula has no lanes.');
  },
};

function extreme(
  writer: ExpressionWriter,
  node: NodeOf<'max' | 'min'>,
  of: typeof maximum,
  sign: '' | '-',
): Lanes {
  const { shader, width } = writer.site;
  return writer.fold(
    node.args,
    `${sign}${shader.use(infinity(width))}()`,
    (at) => [writer.part(arg(node, 0), [at])],
    (best, [one]) => `${shader.use(of(width))}(${best}, ${one})`,
  );
}
