// For tests: attentions over random numbers.

import { type AttentionOptions, compose, plan } from '@heed/attention';
import { sizeOf, type Type, vec } from '@heed/expr';
import {
  type AttendInput,
  type AttendProgram,
  type Axis,
  type DType,
  dtypes,
  fromBfloat16,
  fromFloat16,
  toBfloat16,
  toFloat16,
} from '@heed/tensor';

export type Lengths = Readonly<Record<Axis, number>>;

/** Numbers from a seed (mulberry32). */
export class Draw {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  unit(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  integer(low: number, high: number): number {
    return low + Math.floor(this.unit() * (high - low + 1));
  }

  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.unit())) * Math.cos(2 * Math.PI * this.unit());
  }

  pick<T>(from: readonly T[]): T {
    return from[this.integer(0, from.length - 1)] as T;
  }

  flip(probability = 0.5): boolean {
    return this.unit() < probability;
  }
}

export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export interface Scene {
  readonly program: AttendProgram;
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly uniforms: Readonly<Record<string, number>>;
  readonly lengths: Lengths;
}

export interface ProgramOptions {
  readonly features?: number;
  readonly valueFeatures?: number;
  readonly keep?: AttendProgram['keep'];
  readonly dtype?: 'float32' | 'float16' | 'bfloat16';
  /** How keys and values are stored. */
  readonly stored?: DType;
  readonly train?: boolean;
  readonly sizes?: Readonly<Record<string, number>>;
}

/** The program that an attention runs over all pairs; what is computed ahead becomes an input like any other. */
export function programOf(
  options: AttentionOptions,
  {
    features = 5,
    valueFeatures = 6,
    keep = { level: false, weights: false },
    dtype = 'float32',
    stored = dtype,
    train = false,
    sizes = {},
  }: ProgramOptions,
): AttendProgram {
  const spec = compose(options, train);
  const shared = spec.widths === 'shared';
  const inputs: Record<string, AttendInput> = {
    q: { type: vec(shared ? 'feature' : 'queryFeature'), dtype, along: ['batch', 'head', 'query'] },
    k: { type: vec(shared ? 'feature' : 'keyFeature'), dtype: stored, along: ['batch', 'keyHead', 'key'] },
    value: { type: vec('valueFeature'), dtype: stored, along: ['batch', 'keyHead', 'key'] },
  };
  const storage = { float: dtype, int: 'int32', bool: 'bool' } as const;
  for (const [name, { type, along }] of Object.entries({ ...spec.params, ...spec.inputs }))
    inputs[name] = { type, dtype: storage[type.element], along: along as readonly Axis[] };
  return plan(spec, {
    inputs,
    uniforms: Object.fromEntries(Object.entries(spec.uniforms).map(([name, { element }]) => [name, element])),
    sizes: {
      ...spec.sizes,
      queryFeature: features,
      keyFeature: features,
      feature: features,
      valueFeature: valueFeatures,
      ...sizes,
    },
    fewer: 'query',
    keep,
    dtype,
  }).program;
}

const product = (shape: readonly number[]): number => shape.reduce((all, size) => all * size, 1);

/** What a dtype makes of a number. */
const rounded: { readonly [D in DType]: (value: number) => number } = {
  float64: Number,
  float32: Math.fround,
  float16: (value) => fromFloat16(toFloat16(value)),
  bfloat16: (value) => fromBfloat16(toBfloat16(value)),
  int32: (value) => value | 0,
  int8: (value) => Math.max(-128, Math.min(127, Math.round(value))),
  bool: (value) => (value > 0 ? 1 : 0),
};

/** Numbers for every input of a program. */
export function sceneOf(
  program: AttendProgram,
  lengths: Lengths,
  draw: Draw,
  { scale = 1, entries = 9 }: { readonly scale?: number; readonly entries?: number } = {},
): Scene {
  const inputs: Record<string, Tensor> = {};
  for (const [name, { type, dtype, along }] of Object.entries(program.inputs)) {
    const shape = [
      ...along.map((axis) => lengths[axis]),
      ...Array<number>(type.lookups).fill(entries),
      ...dimsOf(program, type),
    ];
    const { element } = dtypes[dtype];
    const one = (): number => {
      if (element === 'int') return draw.integer(-1, lengths.key + 1);
      if (element === 'bool') return draw.flip(0.7) ? 1 : 0;
      return rounded[dtype](dtype === 'int8' ? draw.integer(-20, 20) / 10 : draw.normal() * scale);
    };
    inputs[name] = { shape, data: Float64Array.from({ length: product(shape) }, one) };
  }
  const uniforms = Object.fromEntries(
    Object.entries(program.uniforms).map(([name, kind]) => [
      name,
      kind === 'int' ? draw.integer(0, 4) : Math.fround(0.2 + 0.6 * draw.unit()),
    ]),
  );
  return { program, inputs, uniforms, lengths };
}

export const dimsOf = ({ sizes }: AttendProgram, { dims }: Type): number[] =>
  dims.map((dim) => sizeOf(dim, sizes) as number);
