// Lane-wise arithmetic, written as three-address code over a group of vectors.
//
// Each function of src/emit/math says its formula once; `group` vectors go through it side by side, so that a constant is
// loaded once for all of them and the processor has independent work.

import type { KernelWriter } from './kernel.ts';
import type { Code, Local, PlainInstruction } from './wasm/index.ts';
import type { plain } from './wasm/instructions.ts';

/** The lanes of a value: one vector for each of the group, or a single one that serves all. */
export type Lanes = readonly Local<'v128'>[];

/** Instructions that take and leave vectors. */
export type VectorInstruction = {
  [N in PlainInstruction]: (typeof plain)[N][1] extends 'v:v' | 'vv:v' | 'vvv:v' ? N : never;
}[PlainInstruction];

type Shift = 'i32x4.shl' | 'i32x4.shr_s' | 'i32x4.shr_u' | 'i64x2.shl' | 'i64x2.shr_u';

export class Simd {
  readonly writer: KernelWriter;
  readonly code: Code;
  /** Holds the address of the constants. */
  readonly pool: Local<'i32'>;
  readonly group: number;

  constructor(writer: KernelWriter, code: Code, pool: Local<'i32'>, group: number) {
    this.writer = writer;
    this.code = code;
    this.pool = pool;
    this.group = group;
  }

  /** The instruction applied to each vector of the group. */
  op(name: VectorInstruction, ...args: readonly Lanes[]): Lanes {
    const { code } = this;
    return this.#each(args, (vectors) => code.op(name as 'f32x4.add', ...(vectors as [never, never])));
  }

  shift(name: Shift, a: Lanes, bits: number): Lanes {
    return this.#each([a], ([vector]) => this.code.op(name, vector as Local<'v128'>, bits));
  }

  shuffle(lanes: readonly [number, number, number, number], a: Lanes, b: Lanes): Lanes {
    return this.#each([a, b], ([x, y]) => this.code.shuffle(lanes, x as Local<'v128'>, y as Local<'v128'>));
  }

  /** a * b + c, rounded once or twice. */
  madd(a: Lanes, b: Lanes, c: Lanes): Lanes {
    if (this.writer.machine.relaxed) return this.op('f32x4.relaxed_madd', a, b, c);
    return this.op('f32x4.add', this.op('f32x4.mul', a, b), c);
  }

  /** c - a * b, rounded once or twice. */
  nmadd(a: Lanes, b: Lanes, c: Lanes): Lanes {
    if (this.writer.machine.relaxed) return this.op('f32x4.relaxed_nmadd', a, b, c);
    return this.op('f32x4.sub', c, this.op('f32x4.mul', a, b));
  }

  /** The polynomial whose coefficients are given from the highest power down (Horner). */
  polynomial(x: Lanes, [first = 0, ...rest]: readonly number[]): Lanes {
    return rest.reduce((sum, coefficient) => this.madd(sum, x, this.float(coefficient)), this.float(first));
  }

  /** A float32 in all lanes. */
  float(value: number): Lanes {
    if (Object.is(value, 0)) return this.zero();
    return this.#constant(this.writer.pool.float(value), 'v128.load32_splat');
  }

  /** A 32-bit int in all lanes. */
  int(value: number): Lanes {
    if ((value | 0) === 0) return this.zero();
    return this.#constant(this.writer.pool.int(value), 'v128.load32_splat');
  }

  /** A float64 in both lanes. */
  double(value: number): Lanes {
    return this.#constant(this.writer.pool.double(value), 'v128.load64_splat');
  }

  /** Four ints, one a lane. */
  ints(values: readonly [number, number, number, number]): Lanes {
    return this.#constant(this.writer.pool.words(values), 'v128.load');
  }

  zero(): Lanes {
    return [this.code.let('v128', this.code.zero())];
  }

  /** A mask of 64-bit lanes made of these words. */
  words64(low: number, high: number): Lanes {
    return this.#constant(this.writer.pool.words([low, high]), 'v128.load64_splat');
  }

  /** `then` where the mask's bits are set, else `otherwise`. */
  select(mask: Lanes, then: Lanes, otherwise: Lanes): Lanes {
    return this.op('v128.bitselect', then, otherwise, mask);
  }

  /** An int in all lanes. */
  splatInt(value: Local<'i32'>): Lanes {
    return [this.code.let('v128', this.code.op('i32x4.splat', value))];
  }

  splatFloat(value: Local<'f32'>): Lanes {
    return [this.code.let('v128', this.code.op('f32x4.splat', value))];
  }

  /** New variables with the same content, one for each vector of the group, to be written to. */
  variables(of: Lanes): Lanes {
    return Array.from({ length: this.group }, (_, i) => this.code.let('v128', this.vector(of, i)));
  }

  /** Stores lanes into variables. */
  assign(to: Lanes, from: Lanes): void {
    to.forEach((local, i) => {
      this.code.set(local, this.vector(from, i));
    });
  }

  /** The vector of the group's member i. */
  vector(of: Lanes, i: number): Local<'v128'> {
    return (of.length === 1 ? of[0] : of[i]) as Local<'v128'>;
  }

  /** The same for a group of another size. */
  withGroup(group: number): Simd {
    return this.writer.simd(this.code, this.pool, group);
  }

  #constant(offset: number, load: 'v128.load' | 'v128.load32_splat' | 'v128.load64_splat'): Lanes {
    return [this.code.let('v128', this.code.load(load, this.pool, offset))];
  }

  #each(
    args: readonly Lanes[],
    make: (vectors: readonly Local<'v128'>[]) => ReturnType<Code['zero']>,
  ): Lanes {
    const count = Math.max(...args.map(({ length }) => length));
    return Array.from({ length: count }, (_, i) =>
      this.code.let('v128', make(args.map((arg) => this.vector(arg, i)))),
    );
  }
}
