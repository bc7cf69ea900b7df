// Reductions along the last axis, one after the other, then results for each element or each row. Lanes run along the
// row.

import type { RowProgram } from '@heed/tensor';
import { type Cursor, type StoredDType, store, strideOf } from './access.ts';
import { ExpressionWriter, scalars } from './expression.ts';
import { folds } from './fold.ts';
import { byteStrides, collapse, type Layout, product, type Step, stepOf, withUnitAxis } from './geometry.ts';
import { type Body, type Emitted, KernelWriter } from './kernel.ts';
import { alongAxis, type Stretch } from './lanes.ts';
import type { Machine } from './machine.ts';
import { elementsAt, foldRow } from './pass.ts';
import type { Planner } from './plan.ts';
import type { Lanes } from './simd.ts';
import { uniformLanes } from './uniforms.ts';
import { eachUnit, Walk } from './walk.ts';
import type { Local } from './wasm/index.ts';

/** Vectors side by side. */
const GROUP = 4;

interface RowShape {
  /** Axes before the row. */
  readonly outer: number;
  readonly steps: Readonly<Record<string, Step>>;
}

export const planRow: Planner<RowProgram> = (program, layouts) => {
  const { rank, inputs, reductions, results } = program;
  const names = Object.keys(inputs);
  const { shape } = layouts[names[0] as string] as Layout;
  const strides: Record<string, readonly number[]> = {};
  for (const name of [...names, ...Object.keys(results)]) {
    const own = byteStrides(layouts[name] as Layout);
    strides[name] = own.length === rank ? [...own, 0] : own;
  }
  // The row stays as it is: its end is where reductions end.
  let axes = collapse(shape, strides, new Set([rank]));
  if (axes.sizes.length === 1) axes = withUnitAxis(axes, 0);
  const inner = axes.sizes.length - 1;
  const length = shape[rank] as number;
  const dtypes = {
    ...inputs,
    ...Object.fromEntries(Object.entries(results).map(([name, { dtype }]) => [name, dtype])),
  };
  const kernel: RowShape = {
    outer: inner,
    steps: Object.fromEntries(
      Object.entries(dtypes).map(([name, dtype]) => [
        name,
        stepOf(dtype, length, axes.strides[name]?.[inner] as number),
      ]),
    ),
  };
  return {
    key: JSON.stringify(kernel),
    emit: (machine, checked) => emitRow(program, kernel, machine, checked),
    sizes: axes.sizes,
    strides: axes.strides,
    numbers: { length },
    units: product(axes.sizes.slice(0, inner)),
    weight: length * (names.length + 1) * (reductions.length + 1),
    scratch: 0,
    note: 'lanes along the row',
  };
};

function emitRow(
  program: RowProgram,
  { outer, steps }: RowShape,
  machine: Machine,
  checked: boolean,
): Emitted {
  const { inputs, uniforms, reductions, results } = program;
  return new KernelWriter(machine, checked).run((body) => {
    const { code, frame, pool, writer } = body;
    const names = Object.keys(steps);
    const walk = new Walk(
      body,
      Array.from({ length: outer }, (_, axis) => axis),
      names,
    );
    const strides = new Map(names.map((name) => [name, strideOf(body, name, outer)]));
    const length = code.let(
      'i32',
      code.load('i32.load', frame, writer.word({ of: 'number', name: 'length' })),
    );
    const position = code.local('i32');
    const one = writer.simd(code, pool, 1);
    const totals = new Map<string, Lanes>(reductions.map(({ name }) => [name, [code.local('v128')]]));
    const cursorOf = (name: string, dtype: string): Cursor => ({
      dtype: dtype as StoredDType,
      step: steps[name] as Step,
      pointer: code.let('i32', walk.pointers.get(name) as Local<'i32'>),
      stride: strides.get(name) as Local<'i32'>,
    });
    const inputCursors = (): Map<string, Cursor> =>
      new Map(Object.entries(inputs).map(([name, dtype]) => [name, cursorOf(name, dtype)]));
    const known = (count: number): (readonly [string, () => Lanes])[] => [
      ['length', () => lengthLanes(body)],
      ...uniformLanes(body, uniforms),
      ...reductions.slice(0, count).map(({ name }) => [name, () => totals.get(name) as Lanes] as const),
    ];
    const whole = reductions.map(({ by }) => folds[by](writer.simd(code, pool, GROUP)));
    eachUnit(body, walk, () => {
      for (const [i, { name, body: root }] of reductions.entries()) {
        const fold = whole[i] as (typeof whole)[number];
        const cursors = inputCursors();
        fold.clear();
        code.set(position, 0);
        foldRow(body, GROUP, fold, length, cursors, position, (at) => {
          const source = scalars(new Map([...elementsAt(at, cursors), ...known(i)]));
          return new ExpressionWriter(at.s, source).write(root)[0] as Lanes;
        });
        one.assign(totals.get(name) as Lanes, fold.total());
      }
      const only = code.let('i32', 1);
      const perRow = Object.entries(results).filter(([, { per }]) => per === 'row');
      const rowValues = new ExpressionWriter(one, scalars(new Map(known(reductions.length)))).write(
        ...perRow.map(([, { body: root }]) => root),
      );
      perRow.forEach(([name, { dtype }], i) => {
        store(one, { ...cursorOf(name, dtype), step: 'unit' }, rowValues[i] as Lanes, only);
      });
      const perElement = Object.entries(results).filter(([, { per }]) => per === 'element');
      if (perElement.length === 0) return;
      const cursors = inputCursors();
      const targets = perElement.map(([name, { dtype }]) => cursorOf(name, dtype));
      alongAxis(body, GROUP, length, [...cursors.values(), ...targets], (at: Stretch) => {
        const source = scalars(new Map([...elementsAt(at, cursors), ...known(reductions.length)]));
        const values = new ExpressionWriter(at.s, source).write(
          ...perElement.map(([, { body: root }]) => root),
        );
        targets.forEach((cursor, i) => {
          store(at.s, cursor, values[i] as Lanes, at.left);
        });
      });
    });
  });
}

const lengthLanes = ({ code, frame, writer }: Body): Lanes => [
  code.let('v128', code.load('v128.load32_splat', frame, writer.word({ of: 'number', name: 'length' }))),
];
