// For tests: attentions in random places of memory, run here and on the reference.

import { reference } from '@heed/reference';
import {
  type AttendInput,
  type AttendProgram,
  axisNames,
  type Backend,
  type DType,
  dtypes,
  fromBfloat16,
  fromFloat16,
  lengthNames,
  toBfloat16,
  toFloat16,
  type View,
  workingDType,
} from '@heed/tensor';
import { MULTIPLE, roundoff } from '@heed/testing';
import { expect } from 'vitest';
import { Draw, dimsOf, type Lengths, type Scene, sceneOf } from './scene.fixture.ts';

/** The shapes and dtypes of a program's results. */
function resultsOf({ program, lengths }: Scene): Record<string, { shape: readonly number[]; dtype: DType }> {
  const { keep, dtype } = program;
  const rows = [lengths.batch, lengths.head, lengths.query];
  const by = typeof keep.weights === 'object' ? keep.weights.pool : 1;
  const value = (program.inputs[program.value] as AttendInput).type;
  return {
    context: { shape: [...rows, ...dimsOf(program, value)], dtype },
    ...(keep.level ? { level: { shape: rows, dtype: workingDType(dtype) } } : {}),
    ...(keep.weights
      ? {
          weights: {
            shape: [lengths.batch, lengths.head, Math.ceil(lengths.query / by), Math.ceil(lengths.key / by)],
            dtype,
          },
        }
      : {}),
  };
}

type Numbers = Float64Array | Float32Array | Int32Array | Uint16Array | Int8Array | Uint8Array;
const cells: { readonly [D in DType]: (buffer: ArrayBuffer) => Numbers } = {
  float64: (buffer) => new Float64Array(buffer),
  float32: (buffer) => new Float32Array(buffer),
  float16: (buffer) => new Uint16Array(buffer),
  bfloat16: (buffer) => new Uint16Array(buffer),
  int32: (buffer) => new Int32Array(buffer),
  int8: (buffer) => new Int8Array(buffer),
  bool: (buffer) => new Uint8Array(buffer),
};
const encoded = (dtype: DType, value: number): number =>
  dtype === 'float16' ? toFloat16(value) : dtype === 'bfloat16' ? toBfloat16(value) : value;
const decoded = (dtype: DType, bits: number): number =>
  dtype === 'float16' ? fromFloat16(bits) : dtype === 'bfloat16' ? fromBfloat16(bits) : bits;

/** How a tensor may lie: row-major; from a multiple of four on; axes in any order, with gaps; the last axis side by side. */
export type Placing = 'plain' | 'fours' | 'anyhow' | 'rows';

interface Placed {
  readonly view: View;
  /** The element of memory at which each number lies, row-major. */
  readonly places: readonly number[];
}

function place(
  backend: Backend,
  shape: readonly number[],
  dtype: DType,
  placing: Placing,
  draw: Draw,
): Placed {
  const order = shape.map((_, axis) => axis);
  const loose = placing === 'anyhow' || placing === 'rows';
  const movable = placing === 'rows' ? shape.length - 1 : shape.length;
  if (loose) {
    for (let i = movable - 1; i > 0; i--) {
      const j = draw.integer(0, i);
      [order[i], order[j]] = [order[j] as number, order[i] as number];
    }
  }
  const strides = shape.map(() => 0);
  let span = loose && placing === 'anyhow' && draw.flip(0.3) ? draw.integer(1, 3) : 1;
  for (const axis of order.toReversed()) {
    strides[axis] = span;
    span = Math.max(1, (shape[axis] as number) * span) + (loose && draw.flip(0.3) ? draw.integer(1, 5) : 0);
  }
  // Bytes before and behind, which must stay as they are.
  const before = placing === 'fours' ? 4 * draw.integer(0, 10) : draw.integer(0, 40);
  const behind = draw.integer(0, 40);
  const allocation = backend.allocate((span + before + behind) * dtypes[dtype].bytes);
  const view: View = { allocation, dtype, shape, strides, offset: before };
  const places: number[] = [];
  const visit = (axis: number, at: number): void => {
    if (axis === shape.length) places.push(at);
    else
      for (let i = 0; i < (shape[axis] as number); i++) visit(axis + 1, at + i * (strides[axis] as number));
  };
  visit(0, before);
  return { view, places };
}

const GUARD = 0xa5;

/** Runs a scene's program on a backend, with inputs and results somewhere in memory. */
export async function run(
  backend: Backend,
  scene: Scene,
  draw: Draw,
  placing: Placing = 'plain',
): Promise<Record<string, Float64Array>> {
  const { program } = scene;
  const held: View[] = [];
  const inputs: Record<string, View> = {};
  for (const [name, { shape, data }] of Object.entries(scene.inputs)) {
    const { dtype } = program.inputs[name] as AttendInput;
    const { view, places } = place(backend, shape, dtype, placing, draw);
    const bytes = new Uint8Array(view.allocation.bytes).fill(0xff);
    const to = cells[dtype](bytes.buffer);
    places.forEach((at, i) => {
      to[at] = encoded(dtype, data[i] as number);
    });
    backend.write(view.allocation, bytes);
    inputs[name] = view;
    held.push(view);
  }
  const outputs: Record<string, Placed> = {};
  for (const [name, { shape, dtype }] of Object.entries(resultsOf(scene))) {
    outputs[name] = place(backend, shape, dtype, placing, draw);
    const { view } = outputs[name];
    backend.write(view.allocation, new Uint8Array(view.allocation.bytes).fill(GUARD));
    held.push(view);
  }
  const sizes = Object.fromEntries(axisNames.map((axis) => [lengthNames[axis], scene.lengths[axis]]));
  backend.run(backend.compile(program), {
    inputs,
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, { view }]) => [name, view])),
    uniforms: scene.uniforms,
    sizes,
  });
  const found: Record<string, Float64Array> = {};
  for (const [name, { view, places }] of Object.entries(outputs)) {
    const bytes = await backend.read(view.allocation, 0, view.allocation.bytes);
    const from = cells[view.dtype](bytes.buffer);
    found[name] = Float64Array.from(places, (at) => decoded(view.dtype, from[at] as number));
    const width = dtypes[view.dtype].bytes;
    const own = new Uint8Array(bytes.length);
    for (const at of places) own.fill(1, at * width, (at + 1) * width);
    bytes.forEach((byte, i) => {
      if (own[i] === 0 && byte !== GUARD)
        throw new Error(`"${name}": byte ${i}, which is none of its own, was overwritten.`);
    });
  }
  for (const { allocation } of held) backend.free(allocation);
  return found;
}

/** The same program in float64, over the numbers that the narrower dtypes hold. */
function widened(scene: Scene): Scene {
  const { program } = scene;
  const inputs = Object.fromEntries(
    Object.entries(program.inputs).map(([name, input]) => [
      name,
      { ...input, dtype: dtypes[input.dtype].element === 'float' ? ('float64' as const) : input.dtype },
    ]),
  );
  return { ...scene, program: { ...program, inputs, dtype: 'float64' } };
}

export interface Expected {
  readonly values: Readonly<Record<string, Float64Array>>;
  readonly allowed: Readonly<Record<string, number>>;
}

/**
 * What should come out, and how far from it float32 may be: as @heed/testing's tolerance, from how far the exact result
 * moves when every input moves by one rounding.
 */
async function expected(scene: Scene, draw: Draw): Promise<Expected> {
  const oracle = await reference().open();
  const wide = widened(scene);
  const values = await run(oracle, wide, draw);
  const spread: Record<string, number> = {};
  for (let n = 0; n < 2; n++) {
    const inputs = Object.fromEntries(
      Object.entries(wide.inputs).map(([name, tensor]) => {
        if (dtypes[(scene.program.inputs[name] as AttendInput).dtype].element !== 'float')
          return [name, tensor];
        return [
          name,
          {
            ...tensor,
            data: tensor.data.map((one) => one * (1 + (draw.flip() ? 1 : -1) * roundoff.float32)),
          },
        ];
      }),
    );
    for (const [name, moved] of Object.entries(await run(oracle, { ...wide, inputs }, draw))) {
      const own = values[name] as Float64Array;
      spread[name] = moved.reduce(
        (most, one, i) => Math.max(most, finite(Math.abs(one - (own[i] as number)))),
        spread[name] ?? 0,
      );
    }
  }
  await oracle.close();
  const roundings = Math.max(scene.lengths.key, ...Object.values(scene.program.sizes), 8);
  const allowed = Object.entries(values).map(([name, all]) => {
    const { dtype } = resultsOf(scene)[name] as { dtype: DType };
    const largest = all.reduce((most, one) => Math.max(most, finite(Math.abs(one))), 0);
    const arithmetic = MULTIPLE * roundings * ((spread[name] ?? 0) + roundoff.float32 * largest);
    // Weights below 2^-126 are zero; float16 counts in steps of 2^-24 near zero.
    return [
      name,
      arithmetic + roundoff[dtype] * largest + (dtype === 'float16' ? 2 ** -25 : 2 ** -110),
    ] as const;
  });
  return { values, allowed: Object.fromEntries(allowed) };
}

const finite = (value: number): number => (Number.isFinite(value) ? value : 0);

/** @throws Error that says which number is further from what it should be than float32 explains. */
export async function compare(
  backend: Backend,
  scene: Scene,
  draw: Draw,
  placing: Placing = 'plain',
): Promise<void> {
  const { values, allowed } = await expected(scene, draw);
  const found = await run(backend, scene, draw, placing);
  for (const [name, exact] of Object.entries(values)) {
    const own = found[name] as Float64Array;
    for (const [i, one] of exact.entries()) {
      const got = own[i] as number;
      const same = Object.is(got, one) || got === one || (Number.isNaN(got) && Number.isNaN(one));
      if (same || Math.abs(got - one) <= (allowed[name] as number)) continue;
      const { lengths } = scene;
      throw new Error(
        `${name}[${i}]: expected ${one} within ${allowed[name]}, got ${got} (lengths ${JSON.stringify(lengths)}, ${placing}).`,
      );
    }
  }
}

/** Keys that no query before them sees, under a mask that is causal from the start. */
const SEEN = 11;

/** Expects rows before `SEEN` to be the same when every key from there on holds NaN and infinity. */
export async function keepsOut(backend: Backend, program: AttendProgram, lengths: Lengths): Promise<void> {
  const clean = sceneOf(program, lengths, new Draw(8));
  const before = await run(backend, clean, new Draw(8));
  const inputs = Object.fromEntries(
    Object.entries(clean.inputs).map(([input, { shape, data }]) => {
      const along = program.inputs[input]?.along ?? [];
      if (!along.includes('key')) return [input, { shape, data }];
      const width = shape.slice(along.indexOf('key') + 1).reduce((all, size) => all * size, 1);
      const bad = data.map((one, i) =>
        Math.floor(i / width) % lengths.key < SEEN ? one : i % 2 === 0 ? Number.NaN : Infinity,
      );
      return [input, { shape, data: bad }];
    }),
  );
  const after = await run(backend, { ...clean, inputs }, new Draw(8));
  for (const [result, numbers] of Object.entries(after)) {
    const width = numbers.length / (lengths.batch * lengths.head * lengths.query);
    for (const [i, one] of numbers.entries()) {
      if (Math.floor(i / width) % lengths.query >= SEEN) continue;
      const was = (before[result] as Float64Array)[i] as number;
      if (one !== was) expect(Math.abs(one - was)).toBeLessThan(1e-5 * (1 + Math.abs(was)));
    }
  }
}
