// For tests: a backend to run programs on, and formulas written in a line.

import { type Bool, bool, type Declare, type Expr, index, type Scalar, scalar, trace } from '@heed/expr';
import type { Backend, Call, DType, Program, View } from '@heed/tensor';
import { cells } from './cells.ts';
import { reference } from './open.ts';
import { product, rowMajor } from './strided.ts';

/** A formula of floats. */
export const float = (write: (declare: Declare) => Expr<Scalar> | number): Expr<Scalar> =>
  trace('test', scalar, write);
/** A formula of ints. */
export const int = (write: (declare: Declare) => Expr<typeof index> | number): Expr<typeof index> =>
  trace('test', index, write);
/** A condition. */
export const truth = (write: (declare: Declare) => Expr<Bool> | boolean): Expr<Bool> =>
  trace('test', bool, write);
/** Numbers that lie in memory before and after a program runs. */
export class Bench {
  readonly backend: Backend;
  constructor(backend: Backend) {
    this.backend = backend;
  }

  static async open(bytes?: number): Promise<Bench> {
    return new Bench(await reference(bytes === undefined ? {} : { bytes }).open());
  }

  /** A view of fresh memory. */
  empty(shape: readonly number[], dtype: DType = 'float64'): View {
    const allocation = this.backend.allocate(product(shape) * 8);
    return { allocation, dtype, shape, strides: rowMajor(shape), offset: 0 };
  }

  /** A view of the given numbers, row-major. */
  full(shape: readonly number[], numbers: ArrayLike<number>, dtype: DType = 'float64'): View {
    if (numbers.length !== product(shape)) throw new Error(`${numbers.length} numbers for [${shape}]`);
    const view = this.empty(shape, dtype);
    const bytes = new Uint8Array(numbers.length * 8);
    const to = cells[dtype](bytes.buffer);
    for (let i = 0; i < numbers.length; i++) to.write(i, numbers[i] as number);
    this.backend.write(view.allocation, bytes);
    return view;
  }

  /** All numbers of a contiguous view. */
  async read(view: View): Promise<number[]> {
    const bytes = await this.backend.read(view.allocation, 0, view.allocation.bytes);
    const from = cells[view.dtype](bytes.buffer);
    return Array.from({ length: product(view.shape) }, (_, i) => from.read(view.offset + i));
  }

  run(program: Program, call: Pick<Call, 'inputs' | 'outputs'> & Partial<Call>): void {
    this.backend.run(this.backend.compile(program), { uniforms: {}, sizes: {}, ...call });
  }

  /** Runs a program whose outputs are given by shape, and reads them all. */
  async result<Name extends string>(
    program: Program,
    inputs: Readonly<Record<string, View>>,
    shapes: Readonly<Record<Name, readonly number[]>>,
    rest: Partial<Call> & { readonly dtype?: DType } = {},
  ): Promise<Record<Name, number[]>> {
    const { dtype = 'float64', ...call } = rest;
    const outputs: Record<string, View> = {};
    for (const [name, shape] of Object.entries<readonly number[]>(shapes))
      outputs[name] = this.empty(shape, dtype);
    this.run(program, { inputs, outputs, ...call });
    const found = await Promise.all(Object.values(outputs).map((view) => this.read(view)));
    return Object.fromEntries(Object.keys(outputs).map((name, i) => [name, found[i]])) as Record<
      Name,
      number[]
    >;
  }
}
