// Expressions as lanes: what stands in the hole of every kernel.
//
// A scalar node is computed once for each vector of the group, in the order of the graph; a vector or matrix is never
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
import { type LanewiseOp, lanewise } from './lanewise.ts';
import type { Lanes, Simd } from './simd.ts';
import type { Local } from './wasm/index.ts';

/** A position that is the same in all lanes. */
export type Position = Local<'i32'>;

/**
 * Where the lanes of what an expression reads come from. Each kernel answers for its own: a map loads the elements under
 * its cursors, an attention takes query rows as vectors and key rows as broadcasts.
 */
export interface Source {
  /** A scalar input; floats, ints or masks by its element. */
  scalar(input: NodeOf<'input'>): Lanes;
  /** One number of a vector (one position) or matrix (row, column) that is an input. */
  element(input: NodeOf<'input'>, at: readonly Position[]): Lanes;
  /** One number of an entry of a table: indices by lane, positions within the entry. Zero outside the table. */
  lookup(table: Node, indices: readonly Lanes[], at: readonly Position[]): Lanes;
}

type StructuralOp = Exclude<Op, LanewiseOp>;
/** What gives the number of a node at the positions: none for a scalar, one for a vector, two for a matrix. */
type Part<O extends StructuralOp> = (
  writer: ExpressionWriter,
  node: NodeOf<O>,
  at: readonly Position[],
) => Lanes;

const arg = (node: { readonly args: readonly Node[] }, i: number): Node => node.args[i] as Node;

export class ExpressionWriter {
  readonly s: Simd;
  readonly source: Source;
  readonly #sizes: Sizes;
  /** What is known already, from the outermost loop to the innermost. */
  readonly #scopes: Map<string, Lanes>[] = [new Map()];
  readonly #ids = new Map<Node, number>();

  constructor(s: Simd, source: Source, sizes: Sizes = {}) {
    this.s = s;
    this.source = source;
    this.#sizes = sizes;
  }

  /** The lanes of scalar roots. What they share, among themselves and with earlier roots, is computed once. */
  write(...roots: readonly Expr[]): Lanes[] {
    // No scalar depends on a position, so all of them can be written ahead of the loops, arguments first.
    for (const node of reachable(roots.map(asNode)))
      if (isScalar(node) && node.op !== 'const') this.part(node, []);
    return roots.map((root) => this.part(asNode(root), []));
  }

  /** The number of a node at the positions. */
  part(node: Node, at: readonly Position[]): Lanes {
    // Literals are loaded where they are used: a register for each would leave none.
    if (node.op === 'const') return constant(this.s, node);
    const key = `${this.#id(node)}:${at.map(({ index }) => index).join()}`;
    for (const scope of this.#scopes) {
      const known = scope.get(key);
      if (known) return known;
    }
    const write = lanewise[node.op as LanewiseOp] as (typeof lanewise)[LanewiseOp] | undefined;
    const made = write
      ? write(
          this.s,
          node.args.map((one) => this.part(one, isScalar(one) ? [] : at)),
          node,
        )
      : (structural[node.op as StructuralOp] as Part<StructuralOp>)(this, node as never, at);
    (this.#scopes.at(-1) as Map<string, Lanes>).set(key, made);
    return made;
  }

  /** The number behind a dim. @throws Error for a dim that the program gives no size. */
  size(dim: string): number {
    const size = sizeOf(dim, this.#sizes);
    if (size === undefined) throw new Error(`The dim "${dim}" has no size.`);
    return size;
  }

  /** Writes code for every position below `size`. */
  each(size: number, body: (at: Position) => void): void {
    if (size === 0) return;
    const { code } = this.s;
    const at = code.let('i32', 0);
    code.loop((again) => {
      this.scoped(() => body(at));
      code.set(at, code.op('i32.add', at, 1));
      code.branchIf(again, code.op('i32.lt_u', at, size));
    });
  }

  /** The first lanes where the condition holds, else the second; only one of them is computed. */
  either(condition: () => ReturnType<Simd['code']['i32']>, then: () => Lanes, otherwise: () => Lanes): Lanes {
    const { code } = this.s;
    const result = this.s.variables(this.s.zero());
    const branch = (write: () => Lanes) => () => this.scoped(() => this.s.assign(result, write()));
    code.if(condition(), branch(then), branch(otherwise));
    return result;
  }

  /** A position further on. */
  shifted(at: Position, by: number): Position {
    return by === 0 ? at : this.s.code.let('i32', this.s.code.op('i32.add', at, by));
  }

  /** Runs `write` and then forgets what it computed: for code that runs again, or not always. */
  scoped(write: () => void): void {
    this.#scopes.push(new Map());
    write();
    this.#scopes.pop();
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

function constant(s: Simd, { data, type }: NodeOf<'const'>): Lanes {
  if (type.element === 'float') return s.float(data.value);
  return type.element === 'int' ? s.int(data.value) : s.int(data.value === 0 ? 0 : -1);
}

/** Folds the numbers of vectors: a loop with one variable for each vector of the group. */
function fold(
  writer: ExpressionWriter,
  vector: Node,
  first: Lanes,
  step: (sum: Lanes, at: Position) => Lanes,
): Lanes {
  const { s } = writer;
  const sum = s.variables(first);
  writer.each(writer.size(vector.type.dims[0] as string), (at) => s.assign(sum, step(sum, at)));
  return sum;
}

const product = (
  writer: ExpressionWriter,
  length: Node,
  a: (at: Position) => Lanes,
  b: (at: Position) => Lanes,
): Lanes =>
  fold(writer, length, writer.s.zero(), (sum, at) => {
    const left = a(at);
    return writer.s.madd(left, b(at), sum);
  });

/** Where a piece lies within a whole, and the positions with the axis moved. */
function moved(
  writer: ExpressionWriter,
  node: NodeOf<'slice' | 'place'>,
  at: readonly Position[],
  sign: 1 | -1,
): readonly Position[] {
  const from = writer.size(node.data.from);
  return at.map((one, axis) => (axis === node.data.axis ? writer.shifted(one, sign * from) : one));
}

const structural: { readonly [O in StructuralOp]: Part<O> } = {
  const: ({ s }, node) => constant(s, node),
  input: ({ source }, node, at) => (at.length === 0 ? source.scalar(node) : source.element(node, at)),
  size: (writer, node) => writer.s.float(writer.size(node.data.dim)),
  dot: (writer, node) =>
    product(
      writer,
      arg(node, 0),
      (at) => writer.part(arg(node, 0), [at]),
      (at) => writer.part(arg(node, 1), [at]),
    ),
  sum: (writer, node) =>
    fold(writer, arg(node, 0), writer.s.zero(), (sum, at) =>
      writer.s.op('f32x4.add', sum, writer.part(arg(node, 0), [at])),
    ),
  max: (writer, node) =>
    fold(writer, arg(node, 0), writer.s.float(-Infinity), (sum, at) =>
      writer.s.op('f32x4.max', sum, writer.part(arg(node, 0), [at])),
    ),
  min: (writer, node) =>
    fold(writer, arg(node, 0), writer.s.float(Infinity), (sum, at) =>
      writer.s.op('f32x4.min', sum, writer.part(arg(node, 0), [at])),
    ),
  norm: (writer, node) => {
    const one = (at: Position): Lanes => writer.part(arg(node, 0), [at]);
    return writer.s.op('f32x4.sqrt', product(writer, arg(node, 0), one, one));
  },
  concat: (writer, node, [at]) => {
    const { code } = writer.s;
    const head = writer.size(arg(node, 0).type.dims[0] as string);
    return writer.either(
      () => code.op('i32.lt_s', at as Position, head),
      () => writer.part(arg(node, 0), [at as Position]),
      () => writer.part(arg(node, 1), [writer.shifted(at as Position, -head)]),
    );
  },
  slice: (writer, node, at) => writer.part(arg(node, 0), moved(writer, node, at, 1)),
  place: (writer, node, at) => {
    const { code } = writer.s;
    const inside = moved(writer, node, at, -1);
    const size = writer.size(arg(node, 0).type.dims[node.data.axis] as string);
    return writer.either(
      // Unsigned, so that what lies before is far outside too.
      () => code.op('i32.lt_u', inside[node.data.axis] as Position, size),
      () => writer.part(arg(node, 0), inside),
      () => writer.s.zero(),
    );
  },
  fill: (writer, node) => writer.part(arg(node, 0), []),
  spread: (writer, node, [at]) => {
    const here = writer.s.op('i32x4.eq', writer.part(arg(node, 1), []), writer.s.splatInt(at as Position));
    return writer.s.op('v128.and', writer.part(arg(node, 0), []), here);
  },
  pick: (writer, node) => {
    const { s } = writer;
    const index = writer.part(arg(node, 1), []);
    return fold(writer, arg(node, 0), s.zero(), (found, at) =>
      s.select(s.op('i32x4.eq', index, s.splatInt(at)), writer.part(arg(node, 0), [at]), found),
    );
  },
  matvec: (writer, node, [row]) =>
    product(
      writer,
      arg(node, 1),
      (at) => writer.part(arg(node, 0), [row as Position, at]),
      (at) => writer.part(arg(node, 1), [at]),
    ),
  vecmat: (writer, node, [column]) =>
    product(
      writer,
      arg(node, 0),
      (at) => writer.part(arg(node, 0), [at]),
      (at) => writer.part(arg(node, 1), [at, column as Position]),
    ),
  outer: (writer, node, [row, column]) => {
    const left = writer.part(arg(node, 0), [row as Position]);
    return writer.s.op('f32x4.mul', left, writer.part(arg(node, 1), [column as Position]));
  },
  at: (writer, node, at) =>
    writer.source.lookup(
      arg(node, 0),
      node.args.slice(1).map((index) => writer.part(index, [])),
      at,
    ),
  // A table that a derivative makes is a result, which the kernel that owns it scatters; nothing reads it lane by lane.
  entry: () => {
    throw new Error('A table made by a formula has no lanes.');
  },
};

/** A source that has scalars only, given by name; each is written when it is first read. */
export function scalars(known: ReadonlyMap<string, () => Lanes>): Source {
  const refuse = (what: string): never => {
    throw new Error(`${what} cannot be read here.`);
  };
  return {
    scalar: ({ data }) => (known.get(data.name) ?? refuse(`"${data.name}"`))(),
    element: ({ data }) => refuse(`The vector "${data.name}"`),
    lookup: () => refuse('A table'),
  };
}
