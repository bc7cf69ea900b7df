// b packed for all threads before they multiply: panels as wide as the tile, [batch][panel][products][columns].

import type { MatmulProgram } from '@heed/tensor';
import { type StoredDType, strideOf } from './access.ts';
import { type Axes, byteStrides, type Layout, product, type Step } from './geometry.ts';
import { type Emitted, KernelWriter } from './kernel.ts';
import { type Machine, tileColumns } from './machine.ts';
import { PACKED } from './matmul-frame.ts';
import { pack } from './matmul-tile.ts';
import type { Plan } from './plan.ts';
import { eachUnit, Walk } from './walk.ts';
import type { Local } from './wasm/index.ts';

/** How large packed b is, and how far apart its batches are: none where b itself repeats. */
export interface Packing {
  /** Batches of b, along the batch axes of the product. */
  readonly sizes: readonly number[];
  /** Bytes between batches of packed b. */
  readonly strides: readonly number[];
  readonly panels: number;
  readonly bytes: number;
}

/**
 * @param outer the axes of batches, and behind them the one of rows.
 * @param across columns of a panel.
 */
export function packingOf(outer: Axes, columns: number, inner: number, across: number): Packing {
  const { sizes, strides } = outer;
  const panels = Math.ceil(columns / across);
  const one = panels * inner * across * 4;
  const own = sizes.slice(0, -1).map((size, axis) => (strides.b?.[axis] === 0 ? 1 : size));
  const apart = own.map((size, axis) => (size === 1 ? 0 : one * product(own.slice(axis + 1))));
  return { sizes: own, strides: apart, panels, bytes: one * product(own) };
}

interface Packed {
  readonly outer: Axes;
  readonly columns: number;
  readonly inner: number;
  /** How b moves along its columns. */
  readonly step: Step;
  readonly packing: Packing;
  readonly b: Layout;
  /** Columns of a panel. */
  readonly across: 8 | 16;
}

/** Packs b: a unit is a panel. */
export function planPack(program: MatmulProgram, packed: Packed): Plan {
  const { outer, columns, inner, step, packing, b, across } = packed;
  const batches = packing.sizes.length;
  const [down, right] = byteStrides(b).slice(-2) as [number, number];
  const own = (outer.strides.b as readonly number[]).slice(0, batches);
  return {
    key: JSON.stringify(['pack', batches, step]),
    emit: (machine, checked) => emitPack(program.b as StoredDType, batches, step, machine, checked),
    sizes: [...packing.sizes, packing.panels, columns, inner],
    strides: {
      b: [...own, across * right, right, down],
      [PACKED]: [...packing.strides, inner * across * 4, 0, 0],
    },
    numbers: {},
    units: product(packing.sizes) * packing.panels,
    weight: 2 * across * inner,
    scratch: 0,
    note: 'b packed for all threads',
  };
}

function emitPack(
  dtype: StoredDType,
  batches: number,
  step: Step,
  machine: Machine,
  checked: boolean,
): Emitted {
  const axis = { panel: batches, column: batches + 1, inner: batches + 2 };
  const lanes = tileColumns(machine);
  return new KernelWriter(machine, checked).run((body) => {
    const { code, frame, writer } = body;
    const axes = Array.from({ length: batches + 1 }, (_, i) => i);
    const walk = new Walk(body, axes, ['b', PACKED]);
    const [across, along] = [strideOf(body, 'b', axis.column), strideOf(body, 'b', axis.inner)];
    const size = (of: number): Local<'i32'> =>
      code.let('i32', code.load('i32.load', frame, writer.word({ of: 'size', axis: of })));
    const [columns, inner] = [size(axis.column), size(axis.inner)];
    eachUnit(body, walk, () => {
      const before = code.op('i32.mul', walk.digits.get(axis.panel) as Local<'i32'>, lanes);
      const left = code.let('i32', code.op('i32.sub', columns, code.let('i32', before)));
      const from = code.let('i32', walk.pointers.get('b') as Local<'i32'>);
      const to = code.let('i32', walk.pointers.get(PACKED) as Local<'i32'>);
      pack(body, { of: { dtype, step, across, along }, from, left, count: inner, lanes }, to);
    });
  });
}
