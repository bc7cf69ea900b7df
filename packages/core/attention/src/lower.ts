// Lowering: a formula of one row becomes ordinary tensor operations on all rows at once, gradients included. A vector
// of dim d along [batch, query] is a tensor [batch, query, d]; element-wise parts become one map each.

import {
  arithmeticBinary,
  arithmeticUnary,
  asExpr,
  asNode,
  build,
  comparisons,
  constant,
  type Expr,
  ExpressionError,
  floatUnary,
  graph,
  gt,
  logicalBinary,
  type Node,
  print,
  reachable,
  type Scalar,
  type Sizes,
  select,
  sizeOf,
  sqrt,
} from '@heed/expr';
import {
  type Axis,
  arange,
  cast,
  concat,
  type Device,
  elementwise,
  type FloatDType,
  matmul,
  max,
  min,
  mul,
  pad,
  sum,
  type Tensor,
  zeros,
} from '@heed/tensor';
import { read } from './lookup.ts';
import { places } from './place.ts';
import { align, type Row, unite } from './row.ts';

/** Numbers of a call by name: the uniforms of the parts, and the lengths of axes. */
export type Uniforms = Readonly<Record<string, 'float' | 'int'>>;

/** What rows are computed from. */
export interface Sources {
  readonly device: Device;
  readonly rows: Readonly<Record<string, Row>>;
  readonly lengths: Readonly<Record<Axis, number>>;
  readonly uniforms: Readonly<Record<string, number>>;
}

/** A formula made ready: computes its row from sources. */
export type Lowered = (sources: Sources) => Row;

/** What all clusters of a formula have in common. */
interface Settings {
  readonly sizes: Sizes;
  readonly uniforms: Uniforms;
  readonly dtype: FloatDType;
}

type Memo = Map<Node, Row>;
type Make = (sources: Sources, memo: Memo) => Row;

/**
 * Makes a one-sided formula ready to be computed with tensor operations, in floats of `dtype`.
 *
 * @throws ExpressionError for an op that has no tensor operation (no formula that a person can write has one).
 */
export function lower(body: Expr, sizes: Sizes, uniforms: Uniforms, dtype: FloatDType): Lowered {
  const makes = new Map<Node, Make>();
  const compile = (node: Node): Make => {
    const known = makes.get(node);
    if (known) return known;
    const plain = isElementwise(node)
      ? cluster(node, compile, { sizes, uniforms, dtype })
      : compound(node, compile, sizes);
    const make: Make = (sources, memo) => {
      const before = memo.get(node);
      if (before) return before;
      const row = plain(sources, memo);
      memo.set(node, row);
      return row;
    };
    makes.set(node, make);
    return make;
  };
  const make = compile(asNode(body));
  return (sources) => {
    const row = make(sources, new Map());
    return row.tensor.dtype === dtype ? row : { ...row, tensor: cast(row.tensor, dtype) };
  };
}

const elementwiseOps: ReadonlySet<string> = new Set([
  ...arithmeticUnary,
  ...floatUnary,
  ...arithmeticBinary,
  ...comparisons,
  ...logicalBinary,
  ...['const', 'size', 'fill', 'select', 'not', 'toFloat', 'toInt', 'random'],
]);
const isElementwise = (node: Node): boolean => elementwiseOps.has(node.op);

/** Apart from the names that maps use themselves. */
const knob = (name: string): string => `u_${name}`;

/** Everything element-wise around a node, as one map over the rows at its edge. */
function cluster(root: Node, compile: (node: Node) => Make, { sizes, uniforms, dtype }: Settings): Make {
  const edge: Node[] = [];
  const floats: string[] = [];
  const ints: string[] = [];
  const seen = new Set<Node>();
  const visit = (node: Node): void => {
    if (seen.has(node)) return;
    seen.add(node);
    const kind = node.op === 'input' ? uniforms[node.data.name] : undefined;
    if (isElementwise(node)) for (const arg of node.args) visit(arg);
    else if (node.op === 'input' && kind) (kind === 'int' ? ints : floats).push(node.data.name);
    else edge.push(node);
  };
  visit(root);
  const makes = edge.map(compile);
  // The whole cluster once more, element by element: a vector's formula is its element's.
  const formula = (...args: readonly unknown[]): Expr<Scalar> => {
    const { uniforms: real, integers } = args[args.length - 1] as Record<
      'uniforms' | 'integers',
      Record<string, Expr>
    >;
    const home = graph(args[0] as Expr);
    const done = new Map<Node, Node>(edge.map((node, i) => [node, asNode(args[i] as Expr)]));
    for (const node of reachable([root])) {
      if (done.has(node)) continue;
      const parts = node.args.map((arg) => done.get(arg) as Node);
      if (node.op === 'input') {
        // Beyond the edge there are inputs that the cluster itself does not read.
        const uniform = real[knob(node.data.name)] ?? integers[knob(node.data.name)];
        if (uniform) done.set(node, asNode(uniform));
      } else if (node.op === 'fill') done.set(node, parts[0] as Node);
      else if (node.op === 'const') done.set(node, constant(home, node.data.value, node.type.element));
      else if (isElementwise(node) && parts.every(Boolean))
        done.set(node, build(home, node.op, parts, node.data));
    }
    return asExpr(done.get(root) as Node);
  };
  const { dims, element } = root.type;
  return (sources, memo) => {
    const rows = makes.map((make) => make(sources, memo));
    const along = unite(rows);
    const inputs = rows.map((row) => align(row, along, dims.length));
    const given = (of: readonly string[]) =>
      Object.fromEntries(of.map((name) => [knob(name), sources.uniforms[name] as number]));
    // A formula of uniforms alone still needs an element to be computed at.
    const elements = inputs.length > 0 ? inputs : [zeros(sources.device, [])];
    const out = elementwise('row', formula as never, elements as [Tensor, ...Tensor[]], {
      uniforms: given(floats),
      integers: given(ints),
      ...(element === 'float' ? { dtype } : {}),
    });
    const shape = [...along.map((axis) => sources.lengths[axis]), ...sizesOf(dims, sizes)];
    return { tensor: out.expand(shape), axes: along };
  };
}

/** Everything else: one tensor operation each. */
function compound(node: Node, compile: (node: Node) => Make, sizes: Sizes): Make {
  const makes = node.args.map(compile);
  const on =
    (operation: (rows: readonly Row[], sources: Sources) => Row): Make =>
    (sources, memo) =>
      operation(
        makes.map((make) => make(sources, memo)),
        sources,
      );
  const along = (operation: (of: Tensor) => Tensor): Make =>
    on(([row]) => ({ tensor: operation((row as Row).tensor), axes: (row as Row).axes }));

  switch (node.op) {
    case 'input': {
      const { name } = node.data;
      const [axis] = Object.hasOwn(places, name) ? places[name as keyof typeof places] : [];
      if (axis)
        return ({ device, lengths }) => ({
          tensor: arange(device, lengths[axis], { dtype: 'int32' }),
          axes: [axis],
        });
      return ({ rows }) => rows[name] as Row;
    }
    case 'sum':
      return along((of) => sum(of, { axis: -1 }));
    case 'max':
      return along((of) => max(of, { axis: -1 }));
    case 'min':
      return along((of) => min(of, { axis: -1 }));
    case 'norm':
      return along((of) => elementwise('norm', rootOrZero, [sum(mul(of, of), { axis: -1 })]));
    case 'dot':
      return on(([a, b]) => {
        const axes = unite([a as Row, b as Row]);
        return { tensor: sum(mul(align(a as Row, axes, 1), align(b as Row, axes, 1)), { axis: -1 }), axes };
      });
    case 'concat':
      return on((rows, { lengths }) => {
        const axes = unite(rows);
        const lead = axes.map((axis) => lengths[axis]);
        const full = rows
          .map((row) => align(row, axes, 1))
          .map((of) => of.expand([...lead, of.shape[axes.length] as number]));
        return { tensor: concat(full, { axis: -1 }), axes };
      });
    case 'slice': {
      const { axis, from, dim } = node.data;
      const [start, size] = sizesOf([from, dim], sizes) as [number, number];
      return along((of) => of.slice(axis - node.type.dims.length, start, start + size));
    }
    case 'place': {
      const { axis, from, dim } = node.data;
      const [start, total] = sizesOf([from, dim], sizes) as [number, number];
      return along((of) => {
        const at = of.rank + axis - node.type.dims.length;
        const amounts = of.shape.map(
          (size, i) => (i === at ? [start, total - start - size] : [0, 0]) as [number, number],
        );
        return pad(of, amounts);
      });
    }
    case 'matvec':
      return on(([w, x]) => product(w as Row, x as Row, true));
    case 'vecmat':
      return on(([x, w]) => product(w as Row, x as Row, false));
    case 'pick':
      return on(([v, i]) => read(v as Row, [i as Row], 1));
    case 'at':
      return on(([of, ...indices]) => read(of as Row, indices, indices.length));
    default:
      throw new ExpressionError(
        `${node.op}: no tensor operation computes this ahead, in ${print(asExpr(node))}.`,
      );
  }
}

const rootOrZero = (square: Expr<Scalar>) => select(gt(square, 0), sqrt(square), 0);

const sizesOf = (dims: readonly string[], sizes: Sizes): number[] =>
  dims.map((dim) => {
    const size = sizeOf(dim, sizes);
    if (size === undefined)
      throw new ExpressionError(
        `the dim "${dim}" has no size: declare it in \`sizes\`, or give a parameter that has it.`,
      );
    return size;
  });

/** W x for all rows at once (Wᵀ x if not `transposed`). */
function product(w: Row, x: Row, transposed: boolean): Row {
  const axes = unite([w, x]);
  const last = axes[axes.length - 1];
  // An axis that only x varies along is the matrix product's row axis; without one each row is a product of its own.
  const rowed = last !== undefined && x.axes.includes(last) && !w.axes.includes(last);
  const batch = rowed ? axes.slice(0, -1) : axes;
  const rows = rowed ? align(x, axes, 1) : align(x, axes, 1).unsqueeze(-2);
  const out = matmul(rows, w.axes.length === 0 ? w.tensor : align(w, batch, 2), { transposeB: transposed });
  return { tensor: rowed ? out : out.squeeze(-2), axes };
}
