// One program on one set of numbers: run on a device through views of any layout, and compared with the reference.

import {
  type Device,
  type DType,
  dispatch,
  dtypes,
  fromBfloat16,
  fromFloat16,
  openScope,
  type Program,
  type Tensor,
  tensor,
  toBfloat16,
  toFloat16,
} from '@heed/tensor';
import { ensure, ensureNear } from '../../assert.ts';
import type { Random } from '../../random.ts';
import { type Data, exactly, largest, roundoff } from '../../tolerance.ts';
import { numbers } from '../stand.ts';

/** How a tensor lies in memory. */
interface Lie {
  /** The order of axes in memory. */
  readonly order: readonly number[];
  /** Elements before each row-major neighbour: 1, or 2 with something else between. */
  readonly step: readonly number[];
  /** Where the first element lies along each axis. */
  readonly start: readonly number[];
  /** Axes that only repeat one element. */
  readonly repeated: readonly boolean[];
}

/** An input: its numbers as read through its view, and the layout of that view. */
export interface Drawn {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Float64Array<ArrayBuffer>;
  readonly lie: Lie;
}

export interface Attempt {
  readonly name: string;
  /** The program, with each float dtype replaced: the oracle's is all float64. */
  readonly program: (floats: (dtype: DType) => DType) => Program;
  readonly inputs: Readonly<Record<string, Drawn>>;
  readonly results: Readonly<Record<string, { readonly shape: readonly number[]; readonly dtype: DType }>>;
  readonly uniforms?: Readonly<Record<string, number>>;
  /** The length of the longest sum. */
  readonly roundings: number;
  /** A result that the program adds to: what it holds before. */
  readonly onto?: Readonly<Record<string, Drawn>>;
}

const countOf = (shape: readonly number[]): number => shape.reduce((all, one) => all * one, 1);

export const isFloat = (dtype: DType): boolean => dtypes[dtype].element === 'float' && dtype !== 'int8';

/** The number that a dtype stores for a number. */
const stored: Readonly<Record<DType, (value: number) => number>> = {
  float64: (value) => value,
  float32: Math.fround,
  float16: (value) => fromFloat16(toFloat16(value)),
  bfloat16: (value) => fromBfloat16(toBfloat16(value)),
  int32: (value) => Math.round(value) | 0,
  int8: (value) => Math.max(-128, Math.min(127, Math.round(value))),
  bool: (value) => (value > 0 ? 1 : 0),
};

interface DrawnOptions {
  readonly scale?: number;
  /** No number is repeated along the last axis: what is left of equal numbers is rounding alone. */
  readonly varied?: boolean;
  readonly each?: (random: Random) => number;
}

/** Numbers of a dtype in any layout: permuted, with gaps, repeated. */
export function drawn(
  shape: readonly number[],
  dtype: DType,
  random: Random,
  { scale = 1, varied = false, each }: DrawnOptions = {},
): Drawn {
  const plain = random.flip(0.3);
  const lie: Lie = {
    order: plain ? shape.map((_, i) => i) : random.permutation(shape.length),
    step: shape.map(() => (plain ? 1 : random.integer(1, 2))),
    start: shape.map(() => (plain ? 0 : random.integer(0, 1))),
    repeated: shape.map((_, axis) => !plain && random.flip(0.2) && !(varied && axis === shape.length - 1)),
  };
  const size = scale * (isFloat(dtype) || dtype === 'bool' ? 1 : 9);
  const draw = each ?? (() => random.between(-size, size));
  const known = new Map<string, number>();
  const data = new Float64Array(countOf(shape));
  for (let flat = 0; flat < data.length; flat++) {
    const place = placeOf(flat, shape)
      .map((i, axis) => (lie.repeated[axis] ? 0 : i))
      .join();
    const value = known.get(place) ?? stored[dtype](draw(random));
    known.set(place, value);
    data[flat] = value;
  }
  return { dtype, shape, data, lie };
}

function placeOf(flat: number, shape: readonly number[]): number[] {
  const place: number[] = [];
  let rest = flat;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    place[axis] = rest % (shape[axis] as number);
    rest = Math.floor(rest / (shape[axis] as number));
  }
  return place;
}

/** The tensor of a drawn input: a view into memory that holds other numbers beside it. */
export function placed(device: Device, { shape, data, lie }: Drawn, dtype: DType): Tensor {
  const own = shape.map((size, axis) => (lie.repeated[axis] ? Math.min(1, size) : size));
  const whole = own.map((size, axis) => size * (lie.step[axis] as number) + (lie.start[axis] as number));
  const inMemory = lie.order.map((axis) => whole[axis] as number);
  const beside = isFloat(dtype) ? 77 : 1;
  const base = new Float64Array(countOf(inMemory)).fill(beside);
  for (let flat = 0; flat < countOf(own); flat++) {
    const place = placeOf(flat, own);
    const from = place.reduce((at, i, axis) => at * (shape[axis] as number) + i, 0);
    const at = lie.order.reduce(
      (to, axis) =>
        to * (whole[axis] as number) +
        (lie.start[axis] as number) +
        (place[axis] as number) * (lie.step[axis] as number),
      0,
    );
    base[at] = data[from] as number;
  }
  const back = lie.order.map((_, axis) => lie.order.indexOf(axis));
  let view = tensor(device, base, { dtype, shape: inMemory }).permute(back);
  for (const [axis, size] of own.entries()) {
    const start = lie.start[axis] as number;
    const step = lie.step[axis] as number;
    if (start !== 0 || step !== 1) view = view.slice(axis, start, start + size * step, step);
  }
  return view.expand([...shape]);
}

/** Runs an attempt and reads its results. */
async function run(
  device: Device,
  attempt: Attempt,
  floats: (dtype: DType) => DType,
  data: Data,
): Promise<Data> {
  const work = openScope(device);
  try {
    const program = attempt.program(floats);
    const supported = device.backend.supports(program);
    ensure(
      supported === true,
      () => `${attempt.name}: not supported: ${supported === true ? '' : supported.reason}`,
    );
    const on = (name: string, one: Drawn): Tensor =>
      placed(device, { ...one, data: data[name] ?? one.data }, floats(one.dtype));
    const inputs = Object.fromEntries(
      Object.entries(attempt.inputs).map(([name, one]) => [name, on(name, one)]),
    );
    const into = Object.fromEntries(
      Object.entries(attempt.onto ?? {}).map(([name, one]) => [
        name,
        // What is written into lies packed, and belongs to nobody else.
        { into: tensor(device, data[name] ?? one.data, { dtype: floats(one.dtype), shape: [...one.shape] }) },
      ]),
    );
    const made = Object.fromEntries(
      Object.entries(attempt.results).map(([name, { shape, dtype }]) => [
        name,
        { shape: [...shape], dtype: floats(dtype) },
      ]),
    );
    const outputs = dispatch(device, program, {
      inputs,
      results: { ...made, ...into },
      ...(attempt.uniforms ? { uniforms: attempt.uniforms } : {}),
    });
    const found: Record<string, Float64Array<ArrayBuffer>> = {};
    for (const [name, output] of Object.entries(outputs)) found[name] = await numbers(output);
    return found;
  } finally {
    work.close();
  }
}

/** The device's results are those of the reference, within what the dtypes allow. */
export async function agree(
  attempt: Attempt,
  device: Device,
  oracle: Device,
  random: Random,
  factor: number,
): Promise<void> {
  const wide = (dtype: DType): DType => (isFloat(dtype) ? 'float64' : dtype);
  const all = { ...attempt.inputs, ...attempt.onto };
  const data: Data = Object.fromEntries(Object.entries(all).map(([name, one]) => [name, one.data]));
  const floats = Object.entries(all).flatMap(([name, { dtype }]) => (isFloat(dtype) ? [name] : []));
  const found = await run(device, attempt, (dtype) => dtype, data);
  const results = { ...attempt.results, ...attempt.onto };
  for (const [name, { shape, dtype }] of Object.entries(results)) {
    // Computed in float32 at least, whatever is stored; only doubles alone are computed as doubles.
    const doubles = Object.values(all).every((one) => !isFloat(one.dtype) || one.dtype === 'float64');
    const exact = await exactly((moved) => run(oracle, attempt, wide, moved), data, {
      dtype: doubles && dtype === 'float64' ? 'float64' : 'float32',
      roundings: attempt.roundings,
      floats,
      factor,
      random,
    });
    const whole = exact.values[name] as Float64Array;
    const values = whole.map((value) => (isFloat(dtype) ? stored[dtype](value) : value));
    // Two results on either side of a boundary are stored one unit apart.
    const storing = 2 * roundoff[dtype] * largest(whole);
    const allowed = isFloat(dtype) ? (exact.allowed[name] ?? 0) + storing : 0;
    ensureNear(found[name] as Float64Array, values, { what: `${attempt.name}: ${name}`, shape, allowed });
  }
}
