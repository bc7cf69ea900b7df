// out[b..., i, j] = epilogue(sum over k of a[b..., i, k] * b[b..., k, j]): which loops, over which tiles.

import { mul, scalar, substitute, trace } from '@heed/expr';
import type { MatmulProgram, ReduceProgram } from '@heed/tensor';
import { byteStrides, collapse, type Layout, product, type Step, stepOf, withUnitAxis } from './geometry.ts';
import { type Machine, tileColumns } from './machine.ts';
import { type MatmulShape, PACKED } from './matmul-frame.ts';
import { emitMatmul, ROW_BLOCK, scratchOf, WHOLE_INNER } from './matmul-kernel.ts';
import { packingOf, planPack } from './matmul-pack.ts';
import { emitThin, THIN_COLUMNS, thinScratch } from './matmul-thin.ts';
import type { Plan, Planner } from './plan.ts';
import { planReduce } from './reduce.ts';

/** Columns of a unit of work: b's part of them, 256 rows at a time, stays in a second-level cache of 1 MiB. */
const COLUMN_BLOCK = 512;
/** The fewest columns that are worth packing a for, and the fewest that are read in one go where b is not packed. */
const LEAST_COLUMNS = 64;
const LEAST_THIN_COLUMNS = 512;
/** Up to so many rows packing b costs more than it saves. */
const THIN = 3;
/** Units for each thread, so that none waits long for another: of rows, and of columns, for each of which a is packed. */
const ROW_SHARES = 4;
const COLUMN_SHARES = 2;
/** How much longer than the shortest way the rows of the busiest thread may be, for units that are smaller. */
const UNEVEN = 1.04;
/** Bytes of b that are packed at once for all threads. */
const MOST_PACKED = 2 ** 26;

export const planMatmul: Planner<MatmulProgram> = (program, layouts, machine) => {
  const [a, b, out] = [layouts.a, layouts.b, layouts.out] as [Layout, Layout, Layout];
  const { rank } = program;
  const inner = a.shape[rank + 1] as number;
  const columns = out.shape[rank + 1] as number;
  // Rows and batches: b does not move along rows, so batches that share it become rows.
  const strides: Record<string, readonly number[]> = { b: byteStrides(b).slice(0, rank).concat(0) };
  for (const name of ['a', 'out', ...Object.keys(program.inputs)])
    strides[name] = byteStrides(layouts[name] as Layout).slice(0, rank + 1);
  let outer = collapse(out.shape.slice(0, rank + 1), strides);
  if (outer.sizes.length === 0 || outer.strides.b?.at(-1) !== 0)
    outer = withUnitAxis(outer, outer.sizes.length);
  const batches = outer.sizes.length - 1;
  const rows = outer.sizes[batches] as number;
  const few = rows <= THIN;
  const step = (name: string, axis: number, size: number): Step =>
    stepOf((layouts[name] as Layout).dtype, size, byteStrides(layouts[name] as Layout)[axis] as number);
  // Where columns of b do not lie together its rows do, as a rule: a reduction runs along them.
  if (few && step('b', rank + 1, columns) === 'any' && Object.keys(program.inputs).length === 0) {
    return planDots(program, layouts, machine);
  }
  const matrices = product(outer.sizes.slice(0, batches));
  const narrow = rows <= ROW_BLOCK;
  const columnBlock = few
    ? columnsOfUnit([THIN_COLUMNS, LEAST_THIN_COLUMNS], columns, matrices, machine.threads)
    : columnsOfUnit(
        [COLUMN_BLOCK, narrow ? LEAST_COLUMNS : COLUMN_BLOCK],
        columns,
        matrices,
        machine.threads,
      );
  const others = matrices * Math.ceil(columns / columnBlock);
  const rowBlock = few || narrow ? rows : rowsOfUnit(rows, others, machine);
  const across = tileColumns(machine);
  const packing = packingOf(outer, columns, inner, across);
  // Units of the same columns need the same part of b: it is packed once for all of them.
  const packed = rowBlock < rows && packing.bytes <= MOST_PACKED;
  const whole = packed || inner <= WHOLE_INNER;
  /** Strides along [batch..., blocks of rows, blocks of columns, row, column, inner]. */
  const all = Object.fromEntries(
    Object.entries(outer.strides).map(([name, own]) => {
      const last = (axis: number): number => byteStrides(layouts[name] as Layout)[axis] as number;
      const row = own[batches] as number;
      const column = name === 'a' ? 0 : last(rank + 1);
      const along = { a: last(rank + 1), b: last(rank) }[name] ?? 0;
      return [name, [...own.slice(0, batches), row * rowBlock, column * columnBlock, row, column, along]];
    }),
  );
  if (packed) all[PACKED] = [...packing.strides, 0, columnBlock * inner * 4, 0, 0, 0];
  const shape: MatmulShape = {
    batches,
    a: stepOf(a.dtype, rows, all.a?.[batches + 2] as number),
    b: step('b', rank + 1, columns),
    out: step('out', rank + 1, columns),
    inputs: Object.fromEntries(
      Object.keys(program.inputs).map((name) => [name, step(name, rank + 1, columns)]),
    ),
    columnBlock,
    packed,
  };
  const width = Math.ceil(Math.min(columns, columnBlock) / across) * across;
  const sizes = [
    ...outer.sizes.slice(0, batches),
    Math.ceil(rows / rowBlock),
    Math.ceil(columns / columnBlock),
    rows,
    columns,
    inner,
  ];
  const sums = machine.relaxed ? 'products and sums in one' : 'products and sums apart';
  const plan: Plan = {
    key: JSON.stringify([few, whole, shape]),
    emit: (on, checked) =>
      few ? emitThin(program, shape, on, checked) : emitMatmul(program, shape, whole, on, checked),
    sizes,
    strides: all,
    numbers: { rowBlock },
    units: product(sizes.slice(0, batches + 2)),
    weight: Math.min(rows, rowBlock) * Math.min(columns, columnBlock) * Math.max(1, inner / 8),
    scratch: few ? thinScratch(inner) : scratchOf(width, inner, whole, packed),
    note: few ? 'few rows: b read in place' : `tiles of ${machine.tileRows} x ${across}, ${sums}`,
  };
  if (!packed) return plan;
  return {
    ...planPack(program, { outer, columns, inner, step: shape.b, packing, b, across }),
    after: plan,
    between: { [PACKED]: packing.bytes },
  };
};

/** The widest block of columns that leaves units enough for all threads, and the narrowest if none does. */
function columnsOfUnit(
  [widest, narrowest]: readonly [number, number],
  columns: number,
  others: number,
  threads: number,
): number {
  let block = widest;
  const wanted = threads === 1 ? 1 : threads * COLUMN_SHARES;
  while (block > narrowest && others * Math.ceil(columns / block) < wanted) block /= 2;
  return block;
}

/**
 * Rows of a unit, in whole tiles: all of them for one thread, else so many that threads end together, and the fewest with
 * which they do, so that one that is held up leaves its rest to the others.
 */
function rowsOfUnit(rows: number, others: number, { threads, tileRows }: Machine): number {
  if (threads === 1 || others === 0) return rows;
  const most = Math.ceil((threads * ROW_SHARES) / others);
  const blocks = Array.from({ length: most }, (_, i) => Math.ceil(rows / (i + 1) / tileRows) * tileRows);
  /** How many rows the busiest thread has. */
  const busiest = (block: number): number => Math.ceil((Math.ceil(rows / block) * others) / threads) * block;
  const least = Math.min(...blocks.map(busiest));
  const found = blocks.findLast((block) => busiest(block) <= least * UNEVEN) as number;
  return Math.min(rows, found);
}

/** Few rows, each a list of dots: a reduction over the inner axis reads b once, in place. */
function planDots(program: MatmulProgram, layouts: Readonly<Record<string, Layout>>, machine: Machine): Plan {
  const { rank, a, b, uniforms, epilogue, dtype } = program;
  const [left, right, out] = [layouts.a, layouts.b, layouts.out] as [Layout, Layout, Layout];
  const [rows, inner] = left.shape.slice(rank) as [number, number];
  const columns = out.shape[rank + 1] as number;
  const shape = [...left.shape.slice(0, rank), rows, columns, inner];
  const insert = (
    { dtype: of, strides }: Layout,
    [row, column, along]: readonly [number, number, number],
  ): Layout => ({
    dtype: of,
    shape,
    strides: [...strides.slice(0, rank), row, column, along],
  });
  const at = ({ strides }: Layout, axis: number): number => strides[rank + axis] as number;
  const reduce: ReduceProgram = {
    kind: 'reduce',
    rank: rank + 2,
    reduced: 1,
    inputs: { a, b },
    uniforms,
    body: trace('matmul', scalar, (x) => mul(x('a', scalar), x('b', scalar))),
    by: 'sum',
    finish: substitute(epilogue, { product: trace('matmul', scalar, (x) => x('total', scalar)) }),
    dtype,
  };
  const plan = planReduce(
    reduce,
    {
      a: insert(left, [at(left, 0), 0, at(left, 1)]),
      b: insert(right, [0, at(right, 1), at(right, 0)]),
      out,
    },
    machine,
    {},
  );
  return { ...plan, key: `dots ${plan.key}`, note: `few rows: a reduction, ${plan.note}` };
}
