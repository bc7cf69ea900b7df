// A scene: lengths, and numbers for every input of an attention. What laws are tried on.

import type { Lengths, Spec } from '@heed/attention';
import { type Sizes, sizeOf, type Type } from '@heed/expr';
import type { Axis } from '@heed/tensor';
import type { Random } from '../random.ts';

export type AxisLengths = Readonly<Record<Axis, number>>;

/** Numbers laid out as [...along, ...lookups, ...dims]. Bools are 0 and 1. */
export interface Field {
  readonly type: Type;
  readonly along: readonly Axis[];
  readonly shape: readonly number[];
  readonly data: Float64Array<ArrayBuffer>;
}

/** `q`, `k`, `value`, and what the parts declare, by name. */
export type Fields = Readonly<Record<string, Field>>;

export interface Scene {
  readonly lengths: AxisLengths;
  readonly sizes: Sizes;
  readonly fields: Fields;
  readonly uniforms: Readonly<Record<string, number>>;
}

/** What the author of a part may say about the numbers it is tried on. */
export interface SceneOptions {
  /** Sizes of dims: `{ feature: 4 }`. Others are small and random. */
  readonly sizes?: Sizes;
  /** How many entries each lookup of a table has: `{ bias: [9] }`. */
  readonly tables?: Readonly<Record<string, readonly number[]>>;
  /** Numbers for an input, row-major, where random ones make no sense: lengths, ids that grow. */
  readonly inputs?: Readonly<
    Record<string, (shape: readonly number[], lengths: AxisLengths, random: Random) => ArrayLike<number>>
  >;
  /** Rounds the floats, so that a device of fewer bits is given the same numbers. */
  readonly round?: (value: number) => number;
}

const row = (dim: string): Type => ({ element: 'float', dims: [dim], lookups: 0 });

/** Draws a scene for these lengths. */
export function draw(spec: Spec, lengths: AxisLengths, random: Random, options: SceneOptions = {}): Scene {
  const feature = random.integer(1, 4);
  const drawn: Record<string, number> =
    spec.widths === 'shared' ? { feature } : { queryFeature: feature, keyFeature: random.integer(1, 4) };
  // The sizes that parts come with are for use; a law is as true of small ones.
  for (const [dim, size] of Object.entries(spec.sizes)) drawn[dim] = Math.min(size, random.integer(1, 4));
  const sizes: Sizes = { ...drawn, valueFeature: random.integer(1, 3), ...options.sizes };
  const shared = spec.widths === 'shared';
  const declared: Record<string, { readonly type: Type; readonly along: readonly Axis[] }> = {
    q: { type: row(shared ? 'feature' : 'queryFeature'), along: ['batch', 'head', 'query'] },
    k: { type: row(shared ? 'feature' : 'keyFeature'), along: ['batch', 'keyHead', 'key'] },
    value: { type: row('valueFeature'), along: ['batch', 'keyHead', 'key'] },
    ...spec.params,
    ...spec.inputs,
  };
  const fields = Object.fromEntries(
    Object.entries(declared).map(([name, { type, along }]) => {
      const tables =
        options.tables?.[name] ?? Array.from({ length: type.lookups }, () => random.integer(1, 6));
      const dims = type.dims.map((dim) => sizeOf(dim, sizes) ?? 0);
      const shape = [...along.map((axis) => lengths[axis]), ...tables, ...dims];
      const data = options.inputs?.[name]?.(shape, lengths, random) ?? numbers(type, shape, lengths, random);
      const round =
        type.element === 'float' ? (options.round ?? ((one: number) => one)) : (one: number) => one;
      return [name, { type, along, shape, data: Float64Array.from(data, round) }] as const;
    }),
  );
  const uniforms = Object.fromEntries(
    Object.entries(spec.uniforms).map(([name, { value }]) => [name, value]),
  );
  return { lengths, sizes, fields, uniforms };
}

const countOf = (shape: readonly number[]): number => shape.reduce((all, one) => all * one, 1);

function numbers(type: Type, shape: readonly number[], lengths: AxisLengths, random: Random): Float64Array {
  const count = countOf(shape);
  if (type.element === 'float') return random.numbers(count);
  const most = type.element === 'bool' ? 1 : Math.max(lengths.key, lengths.query);
  return Float64Array.from({ length: count }, () => random.integer(0, most));
}

/** The lengths as a part knows them. */
export const lengthsOf = ({ batch, head, keyHead, query, key }: AxisLengths): Lengths => ({
  batches: batch,
  heads: head,
  keyHeads: keyHead,
  queryLength: query,
  keyLength: key,
});

/** The fields that gradients exist for. */
export const floatsOf = (fields: Fields): string[] =>
  Object.entries(fields).flatMap(([name, { type }]) => (type.element === 'float' ? [name] : []));

/** A field with elements along one axis taken in another order, or only some of them. */
function reorder(field: Field, axis: Axis, order: readonly number[]): Field {
  const at = field.along.indexOf(axis);
  if (at < 0) return field;
  const outer = countOf(field.shape.slice(0, at));
  const inner = countOf(field.shape.slice(at + 1));
  const size = field.shape[at] as number;
  const data = new Float64Array(outer * order.length * inner);
  for (let o = 0; o < outer; o++) {
    for (const [to, from] of order.entries()) {
      const start = (o * size + from) * inner;
      data.set(field.data.subarray(start, start + inner), (o * order.length + to) * inner);
    }
  }
  return { ...field, shape: field.shape.with(at, order.length), data };
}

/** The scene with every field reordered along an axis. */
export function along(scene: Scene, axis: Axis, order: readonly number[]): Scene {
  const fields = Object.fromEntries(
    Object.entries(scene.fields).map(([name, field]) => [name, reorder(field, axis, order)]),
  );
  return { ...scene, fields, lengths: { ...scene.lengths, [axis]: order.length } };
}
