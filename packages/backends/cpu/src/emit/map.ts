// out[i...] = body(inputs[i...]): lanes run along the innermost axis.

import { inputsOf } from '@heed/expr';
import type { MapProgram } from '@heed/tensor';
import { type Cursor, load, type StoredDType, store, strideOf } from './access.ts';
import { ExpressionWriter, scalars } from './expression.ts';
import {
  type Axes,
  byteStrides,
  collapse,
  type Layout,
  product,
  type Step,
  stepOf,
  withBlocks,
  withUnitAxis,
} from './geometry.ts';
import { type Body, type Emitted, KernelWriter } from './kernel.ts';
import { alongAxis, type Stretch } from './lanes.ts';
import type { Machine } from './machine.ts';
import type { Planner } from './plan.ts';
import type { Lanes } from './simd.ts';
import { uniformLanes } from './uniforms.ts';
import { eachUnit, Walk } from './walk.ts';
import type { Local } from './wasm/index.ts';

/** Elements of a unit of work: enough to forget what a unit costs, few enough to share out. */
const BLOCK = 4096;
/** Vectors side by side: constants are loaded once for all, and formulas do not wait for their own results. */
const GROUP = 4;

/** What a module is specialised on, besides the program. */
interface MapShape {
  readonly outer: number;
  /** For each axis that is left, the program's; -1 where no coordinate is read. */
  readonly origins: readonly number[];
  readonly steps: Readonly<Record<string, Step>>;
}

const placeName = /^axis(\d+)$/;

export const planMap: Planner<MapProgram> = (program, layouts) => {
  const { inputs, results } = program;
  const names = [...Object.keys(inputs), ...Object.keys(results)];
  const first = layouts[Object.keys(results)[0] as string];
  const read = new Set<number>();
  for (const { data } of inputsOf(Object.values(results).map(({ body }) => body))) {
    const place =
      Object.hasOwn(inputs, data.name) || Object.hasOwn(program.uniforms, data.name)
        ? null
        : placeName.exec(data.name);
    if (place) read.add(Number(place[1]));
  }
  const strides = Object.fromEntries(names.map((name) => [name, byteStrides(layouts[name] as Layout)]));
  let axes: Axes = collapse(first?.shape ?? [], strides, read);
  if (axes.sizes.length === 0) axes = withUnitAxis(axes, 0);
  axes = withBlocks(axes, axes.sizes.length - 1, BLOCK);
  const inner = axes.sizes.length - 1;
  const dtypeOf = (name: string) => inputs[name] ?? (results[name] as { dtype: StoredDType }).dtype;
  const shape: MapShape = {
    outer: inner - 1,
    origins: axes.origins.map((origin) => (read.has(origin) ? origin : -1)),
    steps: Object.fromEntries(
      names.map((name) => [
        name,
        stepOf(dtypeOf(name), axes.sizes[inner] as number, axes.strides[name]?.[inner] as number),
      ]),
    ),
  };
  return {
    key: JSON.stringify(shape),
    emit: (machine, checked) => emitMap(program, shape, machine, checked),
    sizes: axes.sizes,
    strides: axes.strides,
    numbers: {},
    units: product(axes.sizes.slice(0, inner)),
    weight: Math.min(axes.sizes[inner] as number, BLOCK) * names.length,
    scratch: 0,
    note: `lanes along an axis: ${describeSteps(shape.steps)}`,
  };
};

const describeSteps = (steps: Readonly<Record<string, Step>>): string =>
  Object.entries(steps)
    .map(([name, step]) => `${name} ${{ unit: 'contiguous', repeat: 'repeated', any: 'strided' }[step]}`)
    .join(', ');

function emitMap(
  program: MapProgram,
  { outer, origins, steps }: MapShape,
  machine: Machine,
  checked: boolean,
): Emitted {
  const { inputs, uniforms, results } = program;
  const [blocks, inner] = [outer, outer + 1];
  return new KernelWriter(machine, checked).run((body) => {
    const { code, frame, writer } = body;
    const names = Object.keys(steps);
    const walk = new Walk(
      body,
      Array.from({ length: outer + 1 }, (_, axis) => axis),
      names,
    );
    const cursorOf = (name: string, dtype: string): Cursor => ({
      dtype: dtype as StoredDType,
      step: steps[name] as Step,
      pointer: code.local('i32'),
      stride: strideOf(body, name, inner),
    });
    const sources = Object.entries(inputs).map(([name, dtype]) => [name, cursorOf(name, dtype)] as const);
    const targets = Object.entries(results).map(
      ([name, { dtype }]) => [name, cursorOf(name, dtype)] as const,
    );
    const cursors = [...sources, ...targets];
    eachUnit(body, walk, () => {
      for (const [name, { pointer }] of cursors) code.set(pointer, walk.pointers.get(name) as Local<'i32'>);
      const start = code.let('i32', code.op('i32.mul', walk.digits.get(blocks) as Local<'i32'>, BLOCK));
      const whole = code.load('i32.load', frame, writer.word({ of: 'size', axis: inner }));
      const rest = code.let('i32', code.op('i32.sub', whole, start));
      const count = code.let(
        'i32',
        code.select('i32', code.get(rest), code.i32(BLOCK), code.op('i32.lt_u', rest, BLOCK)),
      );
      alongAxis(
        body,
        GROUP,
        count,
        cursors.map(([, cursor]) => cursor),
        (at) => {
          const places = origins.flatMap((origin, axis) =>
            origin < 0
              ? []
              : [[`axis${origin}`, () => coordinate(body, walk, at, axis, inner, start)] as const],
          );
          const expressions = new ExpressionWriter(
            at.s,
            scalars(
              new Map([
                ...places,
                ...uniformLanes(body, uniforms),
                ...sources.map(([name, cursor]) => [name, () => load(at.s, cursor, at.left)] as const),
              ]),
            ),
          );
          const values = expressions.write(...Object.values(results).map(({ body: root }) => root));
          targets.forEach(([, cursor], i) => {
            store(at.s, cursor, values[i] as Lanes, at.left);
          });
        },
      );
    });
  });
}

/** The coordinate of each lane along an axis. */
function coordinate(
  { code }: Body,
  walk: Walk,
  { s, index }: Stretch,
  axis: number,
  inner: number,
  start: Local<'i32'>,
): Lanes {
  const digit = walk.digits.get(axis);
  if (axis !== inner && digit) return s.splatInt(digit);
  const first = s.splatInt(code.let('i32', code.op('i32.add', index, start)));
  return Array.from({ length: s.group }, (_, i) => {
    const lanes = s.ints([4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3]);
    return s.vector(s.op('i32x4.add', first, lanes), 0);
  });
}
