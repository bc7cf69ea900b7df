// out[o..., index[o..., m, i...], i...] += source[o..., m, i...], in the order of m.
//
// A unit of work is a place along the other axes with all of m, so that no two threads add to one element.

import type { ScatterAddProgram } from '@heed/tensor';
import {
  type Axes,
  byteStrides,
  bytesOf,
  collapse,
  type Layout,
  product,
  withBlocks,
  withUnitAxis,
} from './geometry.ts';
import { type Emitted, KernelWriter } from './kernel.ts';
import type { Machine } from './machine.ts';
import type { Planner } from './plan.ts';
import { eachUnit, Walk } from './walk.ts';
import type { Code, Local } from './wasm/index.ts';

/** Elements of a unit of work along the innermost axis. */
const BLOCK = 256;

/** What can be added in memory as it is stored; sums of narrower floats are kept in float32 by whoever runs this. */
export type AddedDType = 'float32' | 'int32' | 'bool';

interface ScatterShape {
  readonly outer: number;
  readonly rows: boolean;
  readonly dtype: AddedDType;
}

export const planScatterAdd: Planner<ScatterAddProgram> = ({ outer, dtype }, layouts) => {
  const [source, index, out] = [layouts.source, layouts.index, layouts.out] as [Layout, Layout, Layout];
  const all = { source: byteStrides(source), index: byteStrides(index), out: byteStrides(out) };
  const others = index.shape.toSpliced(outer, 1);
  const strides = Object.fromEntries(
    Object.entries(all).map(([name, own]) => [name, own.toSpliced(outer, 1)]),
  );
  let axes: Axes = collapse(others, strides, new Set(), [outer]);
  if (axes.sizes.length === 0) axes = withUnitAxis(axes, 0);
  const last = axes.sizes.length - 1;
  axes = withBlocks(axes, last, BLOCK);
  const bytes = bytesOf(dtype);
  const inner = (name: string): number => axes.strides[name]?.[last + 1] as number;
  const shape: ScatterShape = {
    outer: last,
    rows: dtype === 'float32' && inner('index') === 0 && inner('source') === bytes && inner('out') === bytes,
    dtype: dtype as AddedDType,
  };
  const count = index.shape[outer] as number;
  return {
    key: JSON.stringify(shape),
    emit: (machine, checked) => emitScatterAdd(shape, machine, checked),
    sizes: axes.sizes,
    strides: axes.strides,
    numbers: {
      size: out.shape[outer] as number,
      step: (out.strides[outer] as number) * bytes,
      count,
      sourceStep: all.source[outer] as number,
      indexStep: all.index[outer] as number,
    },
    units: count === 0 ? 0 : product(axes.sizes.slice(0, -1)),
    weight: Math.min(BLOCK, axes.sizes.at(-1) as number) * count * 4,
    scratch: 0,
    note: shape.rows ? 'whole rows added' : 'element by element',
  };
};

/** Adds the element at one address to that at another. */
const adds: { readonly [D in AddedDType]: (code: Code, to: Local<'i32'>, from: Local<'i32'>) => void } = {
  float32: (code, to, from) =>
    code.access(
      'f32.store',
      0,
      code.get(to),
      code.op('f32.add', code.load('f32.load', to), code.load('f32.load', from)),
    ),
  int32: (code, to, from) =>
    code.access(
      'i32.store',
      0,
      code.get(to),
      code.op('i32.add', code.load('i32.load', to), code.load('i32.load', from)),
    ),
  bool: (code, to, from) => {
    const either = code.let(
      'i32',
      code.op('i32.or', code.load('i32.load8_u', to), code.load('i32.load8_u', from)),
    );
    code.access('i32.store8', 0, code.get(to), code.op('i32.ne', either, 0));
  },
};

function emitScatterAdd({ outer, rows, dtype }: ScatterShape, machine: Machine, checked: boolean): Emitted {
  return new KernelWriter(machine, checked).run((body) => {
    const { code, frame, writer } = body;
    const [blocks, inner] = [outer, outer + 1];
    const names = ['source', 'index', 'out'] as const;
    const walk = new Walk(
      body,
      Array.from({ length: outer + 1 }, (_, axis) => axis),
      names,
    );
    const number = (name: string): Local<'i32'> =>
      code.let('i32', code.load('i32.load', frame, writer.word({ of: 'number', name })));
    const [size, step, sourceStep, indexStep] = [
      number('size'),
      number('step'),
      number('sourceStep'),
      number('indexStep'),
    ];
    const strides = names.map((tensor) =>
      code.let('i32', code.load('i32.load', frame, writer.word({ of: 'stride', tensor, axis: inner }))),
    );
    const fault = code.let('i32', code.load('i32.load', frame, writer.word({ of: 'fault' })));
    const named = code.local('i32');
    const inside = (index: Local<'i32'>, then: () => void): void => {
      code.set(named, code.load('i32.load', index));
      code.if(code.op('i32.lt_u', named, size), then, () => code.access('i32.store', 0, fault, 1));
    };
    eachUnit(body, walk, () => {
      const [source, index, out] = names.map((name) =>
        code.let('i32', walk.pointers.get(name) as Local<'i32'>),
      ) as [Local<'i32'>, Local<'i32'>, Local<'i32'>];
      const whole = code.load('i32.load', frame, writer.word({ of: 'size', axis: inner }));
      const left = code.let(
        'i32',
        code.op('i32.sub', whole, code.op('i32.mul', walk.digits.get(blocks) as Local<'i32'>, BLOCK)),
      );
      code.set(left, code.select('i32', code.get(left), code.i32(BLOCK), code.op('i32.lt_u', left, BLOCK)));
      const rest = code.let(
        'i32',
        code.load('i32.load', frame, writer.word({ of: 'number', name: 'count' })),
      );
      code.loop((again) => {
        const elements = code.let('i32', left);
        const pointers = [source, index, out].map((pointer) => code.let('i32', pointer)) as [
          Local<'i32'>,
          Local<'i32'>,
          Local<'i32'>,
        ];
        const [from, at, base] = pointers;
        const to = code.local('i32');
        if (rows) {
          inside(at, () => {
            code.set(to, code.op('i32.add', code.op('i32.mul', named, step), base));
            addRow(code, to, from, elements);
          });
        } else {
          code.loop((next) => {
            inside(at, () => {
              code.set(to, code.op('i32.add', code.op('i32.mul', named, step), base));
              adds[dtype](code, to, from);
            });
            pointers.forEach((pointer, i) => {
              code.set(pointer, code.op('i32.add', pointer, strides[i] as Local<'i32'>));
            });
            code.branchIf(next, code.tee(elements, code.op('i32.sub', elements, 1)));
          });
        }
        code.set(source, code.op('i32.add', source, sourceStep));
        code.set(index, code.op('i32.add', index, indexStep));
        code.branchIf(again, code.tee(rest, code.op('i32.sub', rest, 1)));
      });
    });
  });
}

/** Adds contiguous floats to contiguous floats. */
function addRow(code: Code, to: Local<'i32'>, from: Local<'i32'>, left: Local<'i32'>): void {
  const pass = (lanes: number, add: () => void): void =>
    code.block((end) =>
      code.loop((again) => {
        code.branchIf(end, code.op('i32.lt_s', left, lanes));
        add();
        for (const pointer of [to, from]) code.set(pointer, code.op('i32.add', pointer, lanes * 4));
        code.set(left, code.op('i32.sub', left, lanes));
        code.branch(again);
      }),
    );
  pass(4, () =>
    code.access(
      'v128.store',
      0,
      code.get(to),
      code.op('f32x4.add', code.load('v128.load', to), code.load('v128.load', from)),
    ),
  );
  pass(1, () => adds.float32(code, to, from));
}
