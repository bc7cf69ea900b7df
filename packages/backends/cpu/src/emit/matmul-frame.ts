// What both matmul kernels know of a call: sizes, cursors and their strides, and the epilogue over finished sums.

import type { MatmulProgram } from '@heed/tensor';
import { type Cursor, type StoredDType, store, strideOf } from './access.ts';
import { ExpressionWriter, scalars } from './expression.ts';
import type { Step } from './geometry.ts';
import type { Body } from './kernel.ts';
import { alongAxis } from './lanes.ts';
import { elementsAt } from './pass.ts';
import type { Lanes } from './simd.ts';
import { uniformLanes } from './uniforms.ts';
import { Walk } from './walk.ts';
import type { Code, Local } from './wasm/index.ts';

type Int = Local<'i32'>;

/** What a module is specialised on, besides the program. */
export interface MatmulShape {
  readonly batches: number;
  /** How a moves along its rows, b and the others along their columns. */
  readonly a: Step;
  readonly b: Step;
  readonly out: Step;
  readonly inputs: Readonly<Record<string, Step>>;
  readonly columnBlock: number;
  /** Whether b has been packed by a job before. */
  readonly packed: boolean;
}

/** The memory that holds packed b, as kernels call it. */
export const PACKED = 'packed:b';

/** A tensor of which one axis runs across lanes and the other is walked. */
export interface Operand {
  readonly dtype: StoredDType;
  readonly step: Step;
  readonly across: Int;
  readonly along: Int;
}

export interface MatmulFrame {
  readonly walk: Walk;
  readonly inner: Int;
  readonly a: Operand;
  readonly b: Operand;
  /** Where a tensor's block begins. */
  pointer(name: string): Int;
  /** The columns and rows of the walk's block. */
  block(): { readonly width: Int; readonly height: Int };
  /** Writes the results of one row of the block, whose sums lie at an address. */
  finish(row: Int, sums: Int, width: Int): void;
}

/** For 0, step, 2 step, ... below `to`. */
export function each(code: Code, to: Int | number, step: number, write: (at: Int) => void): void {
  const at = code.let('i32', 0);
  code.block((end) => {
    code.loop((again) => {
      code.branchIf(end, code.op('i32.ge_s', at, to));
      write(at);
      code.set(at, code.op('i32.add', at, step));
      code.branch(again);
    });
  });
}

export const minimum = (code: Code, a: Int, b: Int | number): Int => {
  const bound = typeof b === 'number' ? code.let('i32', b) : b;
  return code.let('i32', code.select('i32', code.get(a), code.get(bound), code.op('i32.lt_s', a, bound)));
};

/** Axes of the geometry: batches, blocks of rows and of columns, then what the blocks are made of. */
const axesOf = (batches: number) => ({
  rowBlocks: batches,
  columnBlocks: batches + 1,
  row: batches + 2,
  column: batches + 3,
  inner: batches + 4,
});

export function matmulFrame(body: Body, program: MatmulProgram, shape: MatmulShape): MatmulFrame {
  const { code, frame, writer } = body;
  const axis = axesOf(shape.batches);
  const stored = { ...program.inputs, out: program.dtype };
  const walk = new Walk(
    body,
    Array.from({ length: axis.row }, (_, i) => i),
    ['a', 'b', ...Object.keys(stored), ...(shape.packed ? [PACKED] : [])],
  );
  const size = (of: number): Int =>
    code.let('i32', code.load('i32.load', frame, writer.word({ of: 'size', axis: of })));
  const [rows, columns, inner] = [size(axis.row), size(axis.column), size(axis.inner)];
  const rowBlock = code.let(
    'i32',
    code.load('i32.load', frame, writer.word({ of: 'number', name: 'rowBlock' })),
  );
  const operand = (name: 'a' | 'b', across: number): Operand => ({
    dtype: program[name] as StoredDType,
    step: shape[name],
    across: strideOf(body, name, across),
    along: strideOf(body, name, axis.inner),
  });
  const targets = Object.entries(stored).map(([name, dtype]) => ({
    name,
    dtype: dtype as StoredDType,
    step: (name === 'out' ? shape.out : shape.inputs[name]) as Step,
    across: strideOf(body, name, axis.column),
    down: strideOf(body, name, axis.row),
  }));
  const pointer = (name: string): Int => walk.pointers.get(name) as Int;
  const remaining = (total: Int, digit: number, block: Int | number): Int => {
    const before = code.let('i32', code.op('i32.mul', walk.digits.get(digit) as Int, block));
    return minimum(code, code.let('i32', code.op('i32.sub', total, before)), block);
  };
  return {
    walk,
    inner,
    a: operand('a', axis.row),
    b: operand('b', axis.column),
    pointer,
    block: () => ({
      width: remaining(columns, axis.columnBlocks, shape.columnBlock),
      height: remaining(rows, axis.rowBlocks, rowBlock),
    }),
    finish(row, sums, width) {
      const product: Cursor = { dtype: 'float32', step: 'unit', pointer: code.let('i32', sums), stride: row };
      const cursors = new Map<string, Cursor>([['product', product]]);
      for (const { name, dtype, step, across, down } of targets) {
        const at = code.let('i32', code.op('i32.add', code.op('i32.mul', row, down), pointer(name)));
        cursors.set(name, { dtype, step, pointer: at, stride: across });
      }
      writeEpilogue(body, program, width, cursors);
    },
  };
}

function writeEpilogue(
  body: Body,
  { epilogue, uniforms }: MatmulProgram,
  width: Int,
  all: ReadonlyMap<string, Cursor>,
): void {
  const cursors = new Map(all);
  const out = cursors.get('out') as Cursor;
  cursors.delete('out');
  alongAxis(body, 2, width, [...all.values()], (at) => {
    const source = scalars(new Map([...elementsAt(at, cursors), ...uniformLanes(body, uniforms)]));
    store(at.s, out, new ExpressionWriter(at.s, source).write(epilogue)[0] as Lanes, at.left);
  });
}
