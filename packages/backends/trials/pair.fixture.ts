// For tests: the same program on this backend and on the reference, over views of any layout, with guards around what is
// written.

import { reference } from '@heed/reference';
import {
  type Backend,
  type Call,
  type DType,
  dtypes,
  fromBfloat16,
  fromFloat16,
  type Program,
  toBfloat16,
  toFloat16,
  type View,
} from '@heed/tensor';
import fc from 'fast-check';
import { expect } from 'vitest';

export type Stored = Exclude<DType, 'float64'>;

/** A view without memory: what both backends are given one of. */
export interface Placed {
  readonly dtype: Stored;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
  /** Elements of its allocation. */
  readonly room: number;
}

export const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);

export const dense = (dtype: Stored, shape: readonly number[]): Placed => ({
  dtype,
  shape,
  strides: shape.map((_, axis) => product(shape.slice(axis + 1))),
  offset: 0,
  room: product(shape),
});

/** How the axes of a view lie in memory: any order, gaps, backwards, or (inputs only) repeated. */
export interface Lay {
  readonly order: readonly number[];
  readonly gap: readonly number[];
  readonly flip: readonly boolean[];
  readonly repeat: readonly boolean[];
  readonly offset: number;
}

export const lays = (rank: number, inputs: boolean): fc.Arbitrary<Lay> =>
  fc.record({
    order: fc.oneof(
      fc.constant(Array.from({ length: rank }, (_, i) => i)),
      fc.shuffledSubarray(
        Array.from({ length: rank }, (_, i) => i),
        { minLength: rank, maxLength: rank },
      ),
    ),
    gap: fc.array(fc.constantFrom(1, 1, 1, 2, 3), { minLength: rank, maxLength: rank }),
    flip: fc.array(fc.constantFrom(false, false, false, true), { minLength: rank, maxLength: rank }),
    repeat: fc.array(inputs ? fc.constantFrom(false, false, false, true) : fc.constant(false), {
      minLength: rank,
      maxLength: rank,
    }),
    offset: fc.constantFrom(0, 0, 1, 5),
  });

export function place(dtype: Stored, shape: readonly number[], lay: Lay): Placed {
  const strides = shape.map(() => 0);
  let [step, offset] = [1, lay.offset];
  for (const axis of lay.order.toReversed()) {
    if (lay.repeat[axis]) continue;
    const size = shape[axis] as number;
    step *= lay.gap[axis] as number;
    strides[axis] = lay.flip[axis] ? -step : step;
    if (lay.flip[axis]) offset += step * Math.max(0, size - 1);
    step *= size;
  }
  return { dtype, shape, strides, offset, room: lay.offset + step + 3 };
}

/** Numbers that repeat from a seed; about normal, a few of them exactly alike. */
export function numbers(count: number, seed: number, strange = false): number[] {
  let state = (seed * 2654435761 + 12345) | 0;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) / 2 ** 24;
  };
  return Array.from({ length: count }, () => {
    const value = (uniform() + uniform() + uniform() - 1.5) * 2;
    if (!strange) return value;
    const pick = uniform();
    return pick < 0.03
      ? Number.NaN
      : pick < 0.06
        ? Infinity
        : pick < 0.09
          ? -Infinity
          : pick < 0.3
            ? Math.round(value)
            : value;
  });
}

const GUARD = 64;
const PATTERN = 0xa5;

type Numbers = Float64Array | Float32Array | Int32Array | Int8Array | Uint16Array | Uint8Array;
const arrays: { readonly [D in Stored]: (buffer: ArrayBuffer) => Numbers } = {
  float32: (buffer) => new Float32Array(buffer),
  float16: (buffer) => new Uint16Array(buffer),
  bfloat16: (buffer) => new Uint16Array(buffer),
  int32: (buffer) => new Int32Array(buffer),
  int8: (buffer) => new Int8Array(buffer),
  bool: (buffer) => new Uint8Array(buffer),
};
const codecs: { readonly [D in Stored]: { to(value: number): number; from(bits: number): number } } = {
  float32: { to: Number, from: Number },
  float16: { to: toFloat16, from: fromFloat16 },
  bfloat16: { to: toBfloat16, from: fromBfloat16 },
  int32: { to: (value) => Math.round(value * 10), from: Number },
  int8: { to: (value) => Math.max(-128, Math.min(127, Math.round(value * 10))), from: Number },
  bool: { to: (value) => (value > 0 ? 1 : 0), from: Number },
};

/** A backend and the reference, and what was put into both. */
export class Pair<B extends Backend = Backend> {
  readonly backend: B;
  readonly reference: Backend;

  private constructor(backend: B, oracle: Backend) {
    this.backend = backend;
    this.reference = oracle;
  }

  static async with<B extends Backend>(backend: B): Promise<Pair<B>> {
    return new Pair(backend, await reference().open());
  }

  /** Runs the program on both and expects like results, and nothing written beside them. */
  async agree(
    program: Program,
    inputs: Readonly<Record<string, readonly [Placed, readonly number[]]>>,
    outputs: Readonly<Record<string, Placed | readonly [Placed, readonly number[]]>>,
    rest: {
      readonly uniforms?: Call['uniforms'];
      readonly sizes?: Call['sizes'];
      readonly tolerance?: number;
      /** How far each result may be from the reference's, instead of the tolerance. */
      readonly allowed?: Readonly<Record<string, number>>;
    } = {},
  ): Promise<void> {
    const { uniforms = {}, sizes = {}, tolerance = 1e-5, allowed = {} } = rest;
    const found: Record<string, Float64Array>[] = [];
    for (const backend of [this.backend, this.reference]) {
      const held: View[] = [];
      const put = ([placed, values]: readonly [Placed, readonly number[]]): View => {
        const view = putInto(backend, placed, values);
        held.push(view);
        return view;
      };
      const before = Object.fromEntries(Object.entries(inputs).map(([name, one]) => [name, put(one)]));
      const after = Object.fromEntries(
        Object.entries(outputs).map(([name, one]) => [
          name,
          put(Array.isArray(one) ? (one as never) : [one as Placed, []]),
        ]),
      );
      backend.run(backend.compile(program), { inputs: before, outputs: after, uniforms, sizes });
      const results: Record<string, Float64Array> = {};
      for (const [name, view] of Object.entries(after)) results[name] = await take(backend, view);
      for (const view of held) backend.free(view.allocation);
      found.push(results);
    }
    const [mine, right] = found as [Record<string, Float64Array>, Record<string, Float64Array>];
    for (const [name, expected] of Object.entries(right)) {
      const one = outputs[name];
      const { dtype } = (Array.isArray(one) ? one[0] : one) as Placed;
      close(
        name,
        mine[name] as Float64Array,
        expected,
        Math.max(tolerance, { float16: 2 ** -10, bfloat16: 2 ** -7 }[dtype as string] ?? 0),
        dtype,
        allowed[name],
      );
    }
  }
}

/** A buffer for the view: a guard, its room, a guard. The first element of the view's offset lies behind the guard. */
function putInto(backend: Backend, placed: Placed, values: readonly number[]): View {
  const { bytes } = dtypes[placed.dtype];
  const guard = GUARD / bytes;
  const total = Math.ceil((placed.room * bytes + 2 * GUARD) / 8) * 8;
  const buffer = new ArrayBuffer(total);
  new Uint8Array(buffer).fill(PATTERN);
  const cells = arrays[placed.dtype](buffer);
  const view = { ...placed, offset: placed.offset + guard };
  if (values.length > 0) {
    const { to } = codecs[placed.dtype];
    eachPlace(view, (at, i) => {
      cells[at] = to(values[i % values.length] as number);
    });
  }
  const allocation = backend.allocate(total);
  backend.write(allocation, new Uint8Array(buffer));
  return {
    allocation,
    dtype: placed.dtype,
    shape: placed.shape,
    strides: placed.strides,
    offset: view.offset,
  };
}

function eachPlace(
  { shape, strides, offset }: Pick<View, 'shape' | 'strides' | 'offset'>,
  visit: (at: number, i: number) => void,
): void {
  let i = 0;
  const along = (axis: number, at: number): void => {
    if (axis === shape.length) visit(at, i++);
    else
      for (let k = 0; k < (shape[axis] as number); k++) along(axis + 1, at + k * (strides[axis] as number));
  };
  along(0, offset);
}

/** The view's numbers; fails where a byte beside them has changed. */
async function take(backend: Backend, view: View): Promise<Float64Array> {
  const dtype = view.dtype as Stored;
  const raw = await backend.read(view.allocation, 0, view.allocation.bytes);
  const { bytes } = dtypes[dtype];
  const cells = arrays[dtype](raw.buffer);
  const numbersFound = new Float64Array(product(view.shape));
  const own = new Uint8Array(raw.length);
  eachPlace(view, (at, i) => {
    numbersFound[i] = codecs[dtype].from(cells[at] as number);
    own.fill(1, at * bytes, (at + 1) * bytes);
  });
  raw.forEach((byte, at) => {
    if (own[at] === 0 && byte !== PATTERN)
      expect.fail(`byte ${at - GUARD} beside the output was overwritten`);
  });
  return numbersFound;
}

function close(
  name: string,
  found: Float64Array,
  expected: Float64Array,
  tolerance: number,
  dtype: Stored,
  allowed?: number,
): void {
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [found[i] as number, expected[i] as number];
    if (Object.is(a, b) || a === b) continue;
    const slack =
      dtype === 'int8'
        ? 1
        : dtype === 'int32' || dtype === 'bool'
          ? 0
          : (allowed ?? tolerance * (1 + Math.abs(b)));
    if (!(Math.abs(a - b) <= slack)) expect.fail(`"${name}"[${i}]: expected ${b}, got ${a} (${dtype})`);
  }
}
