// An attention on a device, for a scene: what comes out and what flows back.

import { type AttentionOptions, attention, compose, type Spec } from '@heed/attention';
import type { BackendPlugin } from '@heed/tensor';
import {
  add,
  type Device,
  mul,
  openDevice,
  openScope,
  parameter,
  sum,
  type Tensor,
  tensor,
} from '@heed/tensor';
import type { Random } from '../random.ts';
import { type Attended, attendNaively } from '../scene/naive.ts';
import { type Field, type Fields, floatsOf, type Scene } from '../scene/scene.ts';
import { type Data, type Exact, exactly } from '../tolerance.ts';
import type { Settings } from './options.ts';

/** The floats that a device is tried with: its widest. */
export type Floats = 'float64' | 'float32';

export const floatsOn = (device: Device): Floats =>
  device.backend.limits.dtypes.includes('float64') ? 'float64' : 'float32';

export const roundTo: Readonly<Record<Floats, (value: number) => number>> = {
  float64: (value) => value,
  float32: Math.fround,
};

/** Opens a device for the time of `body`. */
export async function onDevice<T>(plugin: BackendPlugin, body: (device: Device) => Promise<T>): Promise<T> {
  const device = await openDevice(plugin);
  try {
    return await body(device);
  } finally {
    await device.close();
  }
}

const storedAs = (field: Field, floats: Floats) =>
  field.type.element === 'float' ? floats : field.type.element === 'int' ? 'int32' : 'bool';

const place = (device: Device, field: Field, floats: Floats): Tensor =>
  tensor(device, field.data, { dtype: storedAs(field, floats), shape: [...field.shape] });

export const placeAll = (device: Device, fields: Fields, floats: Floats): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, place(device, field, floats)]));

/** The tensors of a call, sorted into the arguments of `attend`. */
export function callOf(
  spec: Spec,
  tensors: Readonly<Record<string, Tensor>>,
  uniforms: Readonly<Record<string, number>>,
) {
  const among = (declared: Readonly<Record<string, unknown>>): Record<string, Tensor> =>
    Object.fromEntries(Object.keys(declared).map((name) => [name, tensors[name] as Tensor]));
  return {
    rows: [tensors.q, tensors.k, tensors.value] as [Tensor, Tensor, Tensor],
    call: { params: among(spec.params), inputs: among(spec.inputs), uniforms },
  };
}

export interface Seen {
  readonly context: Float64Array<ArrayBuffer>;
  readonly weights: Float64Array<ArrayBuffer>;
  /** Empty where the normalizer has none. */
  readonly level: Float64Array<ArrayBuffer>;
  /** Empty where they were not asked for: they are a program of their own. */
  readonly scores: Float64Array<ArrayBuffer>;
}

/** Runs an attention and reads everything there is to ask for, scores where they are wanted. */
export async function look(
  options: AttentionOptions,
  scene: Scene,
  device: Device,
  { scored = false }: { readonly scored?: boolean } = {},
): Promise<Seen> {
  const spec = compose(options, false);
  const floats = floatsOn(device);
  const work = openScope(device);
  try {
    const { rows, call } = callOf(spec, placeAll(device, scene.fields, floats), scene.uniforms);
    const attend = attention(options);
    const leveled = spec.normalizer.level.by !== 'none';
    const { context, weights, level } = leveled
      ? attend(...rows, { ...call, weights: true, level: true })
      : { ...attend(...rows, { ...call, weights: true }), level: null };
    return {
      context: await numbers(context),
      weights: await numbers(weights),
      level: level ? await numbers(level) : new Float64Array(0),
      scores: scored ? await numbers(attend.scores(rows[0], rows[1], call)) : new Float64Array(0),
    };
  } finally {
    work.close();
  }
}

export const numbers = async (of: Tensor): Promise<Float64Array<ArrayBuffer>> =>
  Float64Array.from(await of.read());

/** Directions in which the results are differentiated. */
export interface Directions {
  readonly context: Float64Array;
  readonly weights: Float64Array;
  /** Null where the level has no gradient or is not asked for. */
  readonly level: Float64Array | null;
}

/** Gradients of every float field, by name, for loss = results . directions. */
export async function flowBack(
  options: AttentionOptions,
  scene: Scene,
  device: Device,
  directions: Directions,
): Promise<Data> {
  const spec = compose(options, false);
  const floats = floatsOn(device);
  const work = openScope(device);
  try {
    const tensors = placeAll(device, scene.fields, floats);
    const names = floatsOf(scene.fields);
    for (const name of names) parameter(tensors[name] as Tensor);
    const { rows, call } = callOf(spec, tensors, scene.uniforms);
    const attend = attention(options);
    const along = (result: Tensor, direction: Float64Array): Tensor =>
      sum(mul(result, tensor(device, direction, { dtype: floats, shape: [...result.shape] })));
    const given = directions.level
      ? attend(...rows, { ...call, weights: true, level: true })
      : { ...attend(...rows, { ...call, weights: true }), level: null };
    const first = add(along(given.context, directions.context), along(given.weights, directions.weights));
    const loss = given.level && directions.level ? add(first, along(given.level, directions.level)) : first;
    if (loss.tracked) loss.backward();
    const found: Record<string, Float64Array<ArrayBuffer>> = {};
    for (const name of names) {
      const leaf = tensors[name] as Tensor;
      found[name] = leaf.gradient ? await numbers(leaf.gradient) : new Float64Array(leaf.size);
    }
    return found;
  } finally {
    work.close();
  }
}

/** The scene with other numbers. */
export function withData(scene: Scene, data: Data): Scene {
  const fields = Object.fromEntries(
    Object.entries(scene.fields).map(([name, field]) => [name, { ...field, data: data[name] ?? field.data }]),
  );
  return { ...scene, fields };
}

export const dataOf = (scene: Scene): Data =>
  Object.fromEntries(Object.entries(scene.fields).map(([name, { data }]) => [name, data]));

/** The longest sum on the way to a result: over a row's features, and over keys, or queries in a gradient. */
export function roundingsOf({ lengths, sizes, fields }: Scene): number {
  const widest = Math.max(...Object.values(sizes), ...Object.values(fields).flatMap(({ shape }) => shape), 1);
  return widest + Math.max(lengths.key, lengths.query * (lengths.head / Math.max(1, lengths.keyHead))) + 4;
}

/** What the definition gives, and how far a device of these floats may be from it. */
export function expected(
  spec: Spec,
  scene: Scene,
  floats: Floats,
  { factor }: Settings,
  random: Random,
): Promise<Exact & { readonly values: Data & Attended }> {
  // The level of a row is stored, and so rounded, before weights are read off it.
  const level = 'stored level';
  const naive = (data: Data): Data => ({ ...attendNaively(spec, withData(scene, data), data[level]?.[0]) });
  return exactly(
    naive,
    { ...dataOf(scene), [level]: Float64Array.of(1) },
    {
      dtype: floats,
      roundings: roundingsOf(scene),
      floats: [...floatsOf(scene.fields), level],
      factor,
      random,
    },
  ) as Promise<Exact & { readonly values: Data & Attended }>;
}
