// What the evaluator does for every op: a table from ops to makers of steps. A step reads the places of its arguments
// and fills the place of its node; it is made once and run for every set of inputs.

import { ExpressionError } from './error.ts';
import {
  arg,
  copy,
  isScalar,
  look,
  mapOne,
  mapTwo,
  type Places,
  product,
  reduce,
  type Step,
} from './loops.ts';
import { comparing, floatToInt, onBools, onFloat, onFloats, onInt, onInts } from './meaning.ts';
import type { Node, NodeOf } from './node.ts';
import type { ArithmeticBinary, ArithmeticUnary, Comparison, FloatUnary, LogicalBinary, Op } from './op.ts';
import { addTables, entryTable, placeIn } from './table.ts';
import { threefryUniform } from './threefry.ts';
import { describeType } from './type.ts';

type Maker<O extends Op> = (node: NodeOf<O>, at: Places) => Step | undefined;

const float = <O extends FloatUnary>(node: NodeOf<O>, at: Places): Step =>
  mapOne(node as Node, at, onFloat[node.op]);
const unary = <O extends ArithmeticUnary>(node: NodeOf<O>, at: Places): Step =>
  mapOne(node as Node, at, node.type.element === 'int' ? onInt[node.op] : onFloat[node.op]);
const floats = <O extends 'div' | 'pow'>(node: NodeOf<O>, at: Places): Step =>
  mapTwo(node as Node, at, onFloats[node.op]);
const binary = <O extends Exclude<ArithmeticBinary, 'div' | 'pow'>>(node: NodeOf<O>, at: Places): Step =>
  mapTwo(node as Node, at, node.type.element === 'int' ? onInts[node.op] : onFloats[node.op]);
const compare = <O extends Comparison>(node: NodeOf<O>, at: Places): Step =>
  mapTwo(node as Node, at, comparing[node.op]);
const logic = <O extends LogicalBinary>(node: NodeOf<O>, at: Places): Step =>
  mapTwo(node as Node, at, onBools[node.op]);

/** Where a slice or a placed part begins: its steps over rows and columns. */
function part(node: NodeOf<'slice' | 'place'>, at: Places): { row: number; column: number } {
  const from = at.size(node as Node, node.data.from);
  const [whole, piece] = node.op === 'slice' ? [arg(node, 0), node as Node] : [node as Node, arg(node, 0)];
  const rows = node.data.axis === 0 && node.type.dims.length === 2;
  const [length, room] = rows
    ? [at.view(piece).rows, at.view(whole).rows]
    : [at.view(piece).columns, at.view(whole).columns];
  if (from + length > room) {
    throw new ExpressionError(
      `evaluate: ${node.op}: expected ${length} elements from ${from} on to lie within ` +
        `${describeType(whole.type)}, which has ${room}.`,
    );
  }
  return rows ? { row: from, column: 0 } : { row: 0, column: from };
}

export const makers: { readonly [O in Op]: Maker<O> } = {
  const: (node, at) => {
    at.cells[at.cell(node as Node)] = node.data.value;
    return undefined;
  },
  input: (node, at) => at.fetch(node),
  size: (node, at) => {
    at.cells[at.cell(node as Node)] = at.size(node as Node, node.data.dim);
    return undefined;
  },
  neg: unary,
  abs: unary,
  sign: unary,
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
  not: (node, at) => mapOne(node as Node, at, (a) => 1 - a),
  toFloat: (node, at) => mapOne(node as Node, at, (a) => a),
  toInt: (node, at) => mapOne(node as Node, at, floatToInt),
  add: (node, at) => {
    if (node.type.lookups === 0) return binary(node, at);
    const [out, a, b] = [at.view(node as Node), at.view(arg(node, 0)), at.view(arg(node, 1))];
    return () => addTables(out, a, b);
  },
  sub: binary,
  mul: binary,
  minimum: binary,
  maximum: binary,
  mod: binary,
  floorDiv: binary,
  div: floats,
  pow: floats,
  lt: compare,
  le: compare,
  gt: compare,
  ge: compare,
  eq: compare,
  ne: compare,
  and: logic,
  or: logic,
  select: (node, at) => {
    const { cells } = at;
    const [condition, then, otherwise] = node.args as readonly [Node, Node, Node];
    if (isScalar(node)) {
      const [out, c, a, b] = [at.cell(node as Node), at.cell(condition), at.cell(then), at.cell(otherwise)];
      return () => {
        cells[out] = cells[cells[c] === 0 ? b : a] as number;
      };
    }
    const [out, c, a, b] = [at.view(node as Node), at.view(condition), at.view(then), at.view(otherwise)];
    if (isScalar(condition)) return () => look(out, c.data[c.offset] === 0 ? b : a);
    const to = at.own(node as Node);
    return () => {
      for (let row = 0, k = 0; row < out.rows; row++) {
        for (let column = 0; column < out.columns; column++) {
          const taken = c.data[c.offset + row * c.rowStride + column * c.columnStride] === 0 ? b : a;
          to[k++] = taken.data[taken.offset + row * taken.rowStride + column * taken.columnStride] as number;
        }
      }
    };
  },
  dot: (node, at) => {
    const { cells } = at;
    const [out, a, b] = [at.cell(node as Node), at.view(arg(node, 0)), at.view(arg(node, 1))];
    return () => {
      cells[out] = product(a, a.offset, a.columnStride, b, b.offset, b.columnStride, a.columns);
    };
  },
  sum: reduce(0, (all, one) => all + one),
  max: reduce(-Infinity, Math.max),
  min: reduce(Infinity, Math.min),
  norm: reduce(0, (all, one) => all + one * one, Math.sqrt),
  concat: (node, at) => {
    const [to, a, b] = [at.own(node as Node), at.view(arg(node, 0)), at.view(arg(node, 1))];
    return () => {
      copy(a, to, 0, 0);
      copy(b, to, a.columns, 0);
    };
  },
  slice: (node, at) => {
    const { row, column } = part(node, at);
    const [out, whole] = [at.view(node as Node), at.view(arg(node, 0))];
    return () => {
      look(out, whole);
      out.offset += row * whole.rowStride + column * whole.columnStride;
    };
  },
  place: (node, at) => {
    const { row, column } = part(node, at);
    const { columns } = at.view(node as Node);
    const [to, piece] = [at.own(node as Node), at.view(arg(node, 0))];
    return () => copy(piece, to, row * columns + column, columns);
  },
  fill: (node, at) => {
    look(at.view(node as Node), at.view(arg(node, 0)));
    return undefined;
  },
  pick: (node, at) => {
    const { cells } = at;
    const [out, v, index] = [at.cell(node as Node), at.view(arg(node, 0)), at.cell(arg(node, 1))];
    return () => {
      const i = cells[index] as number;
      cells[out] = i >= 0 && i < v.columns ? (v.data[v.offset + i * v.columnStride] as number) : 0;
    };
  },
  spread: (node, at) => {
    const { cells } = at;
    const [to, x, index] = [at.own(node as Node), at.cell(arg(node, 0)), at.cell(arg(node, 1))];
    return () => {
      to.fill(0);
      const i = cells[index] as number;
      if (i >= 0 && i < to.length) to[i] = cells[x] as number;
    };
  },
  matvec: (node, at) => {
    const [to, w, x] = [at.own(node as Node), at.view(arg(node, 0)), at.view(arg(node, 1))];
    return () => {
      for (let row = 0; row < to.length; row++) {
        to[row] = product(
          w,
          w.offset + row * w.rowStride,
          w.columnStride,
          x,
          x.offset,
          x.columnStride,
          w.columns,
        );
      }
    };
  },
  vecmat: (node, at) => {
    const [to, x, w] = [at.own(node as Node), at.view(arg(node, 0)), at.view(arg(node, 1))];
    return () => {
      for (let column = 0; column < to.length; column++) {
        to[column] = product(
          w,
          w.offset + column * w.columnStride,
          w.rowStride,
          x,
          x.offset,
          x.columnStride,
          w.rows,
        );
      }
    };
  },
  outer: (node, at) => {
    const [to, a, b] = [at.own(node as Node), at.view(arg(node, 0)), at.view(arg(node, 1))];
    return () => {
      for (let row = 0, k = 0; row < a.columns; row++) {
        const left = a.data[a.offset + row * a.columnStride] as number;
        for (let column = 0; column < b.columns; column++) {
          to[k++] = left * (b.data[b.offset + column * b.columnStride] as number);
        }
      }
    };
  },
  at: (node, at) => {
    const { cells } = at;
    const table = at.view(arg(node, 0));
    const indices = node.args.slice(1).map((index) => at.cell(index));
    if (isScalar(node)) {
      const out = at.cell(node as Node);
      return () => {
        const place = placeIn(table, indices, cells);
        cells[out] = place === undefined ? 0 : (table.data[place] as number);
      };
    }
    const [out, nothing] = [at.view(node as Node), Float64Array.of(0)];
    return () => {
      const place = placeIn(table, indices, cells);
      out.data = place === undefined ? nothing : table.data;
      out.offset = place ?? 0;
      out.rowStride = place === undefined ? 0 : table.rowStride;
      out.columnStride = place === undefined ? 0 : table.columnStride;
    };
  },
  entry: (node, at) => {
    const [out, of] = [at.view(node as Node), at.view(arg(node, 0))];
    const indices = node.args.slice(1).map((index) => at.cell(index));
    return () =>
      entryTable(
        out,
        of,
        indices.map((index) => at.cells[index] as number),
      );
  },
  random: (node, at) => {
    const { cells } = at;
    const [out, seed, stream, counter, counter2] = [
      at.cell(node as Node),
      ...node.args.map((one) => at.cell(one)),
    ] as [number, number, number, number, number];
    return () => {
      cells[out] = threefryUniform(
        cells[seed] as number,
        cells[stream] as number,
        cells[counter] as number,
        cells[counter2] as number,
      );
    };
  },
};
