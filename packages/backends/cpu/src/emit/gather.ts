// out[o..., m, i...] = data[o..., index[o..., m, i...], i...]

import type { GatherProgram } from '@heed/tensor';
import { byteStrides, bytesOf, collapse, type Layout, product, withBlocks } from './geometry.ts';
import { type Emitted, KernelWriter } from './kernel.ts';
import type { Machine } from './machine.ts';
import type { Planner } from './plan.ts';
import { eachUnit, Walk } from './walk.ts';
import type { Local } from './wasm/index.ts';

/** Elements of a unit of work. */
const BLOCK = 4096;

interface GatherShape {
  readonly outer: number;
  /** One index for a whole contiguous row, which is copied as it is; or an index for each element. */
  readonly rows: boolean;
  readonly bytes: number;
}

export const planGather: Planner<GatherProgram> = ({ outer, dtype }, layouts) => {
  const [data, index, out] = [layouts.data, layouts.index, layouts.out] as [Layout, Layout, Layout];
  // Along the axis that is gathered the data moves by indices, not by the walk.
  const strides = {
    data: byteStrides(data).with(outer, 0),
    index: byteStrides(index),
    out: byteStrides(out),
  };
  const joined = collapse(index.shape, strides, new Set([outer]), [outer, outer + 1]);
  const last = joined.sizes.length - 1;
  const axes = withBlocks(joined, last, BLOCK);
  const bytes = bytesOf(dtype);
  const contiguous = axes.strides.data?.[last + 1] === bytes && axes.strides.out?.[last + 1] === bytes;
  const shape: GatherShape = {
    outer: last,
    rows: axes.strides.index?.[last + 1] === 0 && joined.origins[last] !== outer && contiguous,
    bytes,
  };
  return {
    key: JSON.stringify(shape),
    emit: (machine, checked) => emitGather(shape, machine, checked),
    sizes: axes.sizes,
    strides: axes.strides,
    numbers: { size: data.shape[outer] as number, step: (data.strides[outer] as number) * bytes },
    units: product(axes.sizes.slice(0, -1)),
    weight: Math.min(BLOCK, axes.sizes.at(-1) as number) * 4,
    scratch: 0,
    note: shape.rows ? 'whole rows copied' : 'element by element',
  };
};

const loads = { 1: 'i32.load8_u', 2: 'i32.load16_u', 4: 'i32.load' } as const;
const stores = { 1: 'i32.store8', 2: 'i32.store16', 4: 'i32.store' } as const;

function emitGather({ outer, rows, bytes }: GatherShape, machine: Machine, checked: boolean): Emitted {
  return new KernelWriter(machine, checked).run((body) => {
    const { code, frame, writer } = body;
    const [blocks, inner] = [outer, outer + 1];
    const names = ['data', 'index', 'out'];
    const walk = new Walk(
      body,
      Array.from({ length: outer + 1 }, (_, axis) => axis),
      names,
    );
    const number = (name: string): Local<'i32'> =>
      code.let('i32', code.load('i32.load', frame, writer.word({ of: 'number', name })));
    const [size, step] = [number('size'), number('step')];
    const stride = new Map(
      names.map((tensor) => [
        tensor,
        code.let('i32', code.load('i32.load', frame, writer.word({ of: 'stride', tensor, axis: inner }))),
      ]),
    );
    const fault = code.let('i32', code.load('i32.load', frame, writer.word({ of: 'fault' })));
    eachUnit(body, walk, () => {
      const [data, index, out] = names.map((name) =>
        code.let('i32', walk.pointers.get(name) as Local<'i32'>),
      ) as [Local<'i32'>, Local<'i32'>, Local<'i32'>];
      const whole = code.load('i32.load', frame, writer.word({ of: 'size', axis: inner }));
      const left = code.let(
        'i32',
        code.op('i32.sub', whole, code.op('i32.mul', walk.digits.get(blocks) as Local<'i32'>, BLOCK)),
      );
      code.set(left, code.select('i32', code.get(left), code.i32(BLOCK), code.op('i32.lt_u', left, BLOCK)));
      /** The index under the cursor, and whether it lies inside. */
      const named = code.local('i32');
      const source = code.local('i32');
      const look = (then: () => void, otherwise: () => void): void => {
        code.set(named, code.load('i32.load', index));
        code.if(
          code.op('i32.lt_u', named, size),
          () => {
            code.set(source, code.op('i32.add', code.op('i32.mul', named, step), data));
            then();
          },
          () => {
            code.access('i32.store', 0, fault, 1);
            otherwise();
          },
        );
      };
      if (rows) {
        const length = code.let('i32', code.op('i32.mul', left, bytes));
        look(
          () => code.copy(out, source, length),
          () => code.fill(out, 0, length),
        );
        return;
      }
      code.loop((again) => {
        const value = code.let('i32', 0);
        look(
          () => code.set(value, code.load(loads[bytes as 1 | 2 | 4], source)),
          () => {},
        );
        code.access(stores[bytes as 1 | 2 | 4], 0, out, value);
        for (const [name, pointer] of Object.entries({ data, index, out }))
          code.set(pointer, code.op('i32.add', pointer, stride.get(name) as Local<'i32'>));
        code.branchIf(again, code.tee(left, code.op('i32.sub', left, 1)));
      });
    });
  });
}
