// The two loops of a reduction.

import type { ReduceProgram } from '@heed/tensor';
import { type Cursor, load, type StoredDType, store, strideOf } from './access.ts';
import { ExpressionWriter, scalars } from './expression.ts';
import { FLUSH, type Fold, folds } from './fold.ts';
import type { Step } from './geometry.ts';
import { type Body, type Emitted, KernelWriter } from './kernel.ts';
import type { Machine } from './machine.ts';
import { elementsAt, foldRow } from './pass.ts';
import type { Lanes, Simd } from './simd.ts';
import { uniformLanes } from './uniforms.ts';
import { eachUnit, Walk } from './walk.ts';
import type { Local } from './wasm/index.ts';

/** Vectors side by side along a reduced axis: additions wait four cycles for each other. */
const REDUCED_GROUP = 4;
/** The same along an axis that stays; a unit of work is so many vectors wide. */
export const KEPT_GROUP = 4;

export interface ReduceShape {
  readonly along: 'kept' | 'reduced';
  /** Axes that stay, and axes that are reduced, after which none is left. */
  readonly kept: number;
  readonly reduced: number;
  readonly steps: Readonly<Record<string, Step>>;
  readonly out: Step;
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

export function emitReduce(
  program: ReduceProgram,
  shape: ReduceShape,
  machine: Machine,
  checked: boolean,
): Emitted {
  return new KernelWriter(machine, checked).run((body) =>
    (shape.along === 'kept' ? alongKept : alongReduced)(body, program, shape),
  );
}

/** The cursors of the inputs along an axis. */
const cursorsOf = (
  body: Body,
  { inputs }: ReduceProgram,
  { steps }: ReduceShape,
  axis: number,
): Map<string, Cursor> =>
  new Map(
    Object.entries(inputs).map(([name, dtype]) => [
      name,
      {
        dtype: dtype as StoredDType,
        step: steps[name] as Step,
        pointer: body.code.local('i32'),
        stride: strideOf(body, name, axis),
      },
    ]),
  );

/** Runs `row` for every position of the reduced axes but the innermost; not at all where nothing is reduced. */
function eachRow(
  body: Body,
  walk: Walk,
  { kept, reduced }: ReduceShape,
  names: readonly string[],
  row: (rows: Walk) => void,
): void {
  const { code, frame, writer } = body;
  const rows = new Walk(body, range(kept, kept + reduced - 1), names);
  code.if(code.load('i32.load', frame, writer.word({ of: 'number', name: 'count' })), () => {
    rows.begin(walk.pointers);
    code.loop((again) => {
      row(rows);
      rows.next(again);
    });
  });
}

function finished(body: Body, s: Simd, { finish, uniforms }: ReduceProgram, total: Lanes): Lanes {
  const { code, frame, writer } = body;
  const count = (): Lanes => [
    code.let('v128', code.load('v128.load32_splat', frame, writer.word({ of: 'number', name: 'count' }))),
  ];
  const source = scalars(
    new Map([['total', () => total], ['count', count], ...uniformLanes(body, uniforms)]),
  );
  return new ExpressionWriter(s, source).write(finish)[0] as Lanes;
}

function alongReduced(body: Body, program: ReduceProgram, shape: ReduceShape): void {
  const { code, frame, pool, writer } = body;
  const names = Object.keys(program.inputs);
  const inner = shape.kept + shape.reduced - 1;
  const walk = new Walk(body, range(0, shape.kept), [...names, 'out']);
  const cursors = cursorsOf(body, program, shape, inner);
  const fold = folds[program.by](writer.simd(code, pool, REDUCED_GROUP));
  const one = writer.simd(code, pool, 1);
  const position = code.local('i32');
  const only = code.let('i32', 1);
  eachUnit(body, walk, () => {
    fold.clear();
    code.set(position, 0);
    eachRow(body, walk, shape, names, (rows) => {
      for (const [name, { pointer }] of cursors) code.set(pointer, rows.pointers.get(name) as Local<'i32'>);
      const count = code.let('i32', code.load('i32.load', frame, writer.word({ of: 'size', axis: inner })));
      foldRow(body, REDUCED_GROUP, fold, count, cursors, position, (at) => {
        const source = scalars(
          new Map([...elementsAt(at, cursors), ...uniformLanes(body, program.uniforms)]),
        );
        return new ExpressionWriter(at.s, source).write(program.body)[0] as Lanes;
      });
    });
    const pointer = walk.pointers.get('out') as Local<'i32'>;
    store(
      one,
      { dtype: program.dtype as StoredDType, step: 'unit', pointer, stride: only },
      finished(body, one, program, fold.total()),
      only,
    );
  });
}

function alongKept(body: Body, program: ReduceProgram, shape: ReduceShape): void {
  const { code, frame, pool, writer } = body;
  const names = Object.keys(program.inputs);
  const [lanes, inner] = [shape.kept - 1, shape.kept + shape.reduced - 1];
  const walk = new Walk(body, range(0, lanes), [...names, 'out']);
  const s = writer.simd(code, pool, KEPT_GROUP);
  const fold = folds[program.by](s);
  const cursors = cursorsOf(body, program, shape, lanes);
  const along = new Map(names.map((name) => [name, strideOf(body, name, inner)]));
  const outStride = strideOf(body, 'out', lanes);
  const position = code.local('i32');
  eachUnit(body, walk, () => {
    // The block's digit is the walk's last.
    const whole = code.load('i32.load', frame, writer.word({ of: 'size', axis: lanes }));
    const left = code.let(
      'i32',
      code.op(
        'i32.sub',
        whole,
        code.op('i32.mul', walk.digits.get(lanes - 1) as Local<'i32'>, KEPT_GROUP * 4),
      ),
    );
    fold.clear();
    code.set(position, 0);
    eachRow(body, walk, shape, names, (rows) => {
      for (const [name, { pointer }] of cursors) code.set(pointer, rows.pointers.get(name) as Local<'i32'>);
      const rest = code.let('i32', code.load('i32.load', frame, writer.word({ of: 'size', axis: inner })));
      const steps = code.local('i32');
      code.loop((blocks) => {
        code.set(
          steps,
          code.select('i32', code.get(rest), code.i32(FLUSH), code.op('i32.lt_u', rest, FLUSH)),
        );
        code.set(rest, code.op('i32.sub', rest, steps));
        code.loop((again) => {
          take(body, s, program, fold, cursors, left, position);
          for (const [name, { pointer }] of cursors)
            code.set(pointer, code.op('i32.add', pointer, along.get(name) as Local<'i32'>));
          code.set(position, code.op('i32.add', position, 1));
          code.branchIf(again, code.tee(steps, code.op('i32.sub', steps, 1)));
        });
        fold.flush();
        code.branchIf(blocks, rest);
      });
    });
    const pointer = walk.pointers.get('out') as Local<'i32'>;
    store(
      s,
      { dtype: program.dtype as StoredDType, step: shape.out, pointer, stride: outStride },
      finished(body, s, program, fold.result()),
      left,
    );
  });
}

/** One element of the reduced axes for a block of lanes. */
function take(
  body: Body,
  s: Simd,
  { body: root, uniforms }: ReduceProgram,
  fold: Fold,
  cursors: ReadonlyMap<string, Cursor>,
  left: Local<'i32'>,
  position: Local<'i32'>,
): void {
  const elements = [...cursors].map(([name, cursor]) => [name, () => load(s, cursor, left)] as const);
  const source = scalars(new Map([...elements, ...uniformLanes(body, uniforms)]));
  const value = new ExpressionWriter(s, source).write(root)[0] as Lanes;
  fold.take(s, { value, position: fold.positions ? s.splatInt(position) : null, mask: null });
}
