// What the formulas of one attention read: its tensors, places, lengths and uniforms, followed from pair to pair.

import { type Cursor, type Expr, sizeOf } from '@heed/expr';
import { type AttendInput, type AttendProgram, type Axis, BackendError } from '@heed/tensor';
import { feed, prepare } from './formula.ts';
import type { Operands } from './operands.ts';
import { product, rowMajor } from './strided.ts';

/** The place that holds the length of each axis; also the name of its size in a call. */
export const lengths = {
  batch: 'batches',
  head: 'heads',
  keyHead: 'keyHeads',
  query: 'queryLength',
  key: 'keyLength',
} as const satisfies Record<Axis, string>;
export const axes = Object.keys(lengths) as Axis[];

/** A row of an attention, and the head of keys that its head reads. */
export type Row = Readonly<Record<Exclude<Axis, 'key'>, number>>;

/** Numbers laid out along axes of the attention. */
export interface Tensor {
  readonly data: ArrayLike<number>;
  /** Elements from one coordinate to the next; 0 along axes that it does not vary along. */
  readonly steps: Readonly<Record<Axis, number>>;
  /** Sizes of a table's lookups, and elements from one entry to the next. */
  readonly lookups: readonly number[];
  readonly lookupSteps: readonly number[];
  /** How many numbers one place has. */
  readonly width: number;
}

const still: Tensor['steps'] = { batch: 0, head: 0, keyHead: 0, query: 0, key: 0 };

/** Where the numbers of a tensor begin for a row, before any key. */
export const startOf = ({ steps }: Tensor, row: Row): number =>
  row.batch * steps.batch + row.head * steps.head + row.keyHead * steps.keyHead + row.query * steps.query;

export class Scene {
  readonly sizes: Readonly<Record<Axis, number>>;
  /** What weights and levels read besides; set before they are computed. */
  readonly cells = {
    score: new Float64Array(1),
    level: new Float64Array(1),
    maximum: new Float64Array(1),
    count: new Float64Array(1),
  };
  readonly #program: AttendProgram;
  readonly #operands: Operands;
  readonly #tensors = new Map<string, Tensor>();

  /** @throws BackendError for an input of another shape than its axes and dims give it. */
  constructor(program: AttendProgram, operands: Operands) {
    this.#program = program;
    this.#operands = operands;
    const size = (axis: Axis): number => operands.sizes[lengths[axis]]!;
    this.sizes = Object.fromEntries(axes.map((axis) => [axis, size(axis)])) as Record<Axis, number>;
    for (const [name, input] of Object.entries(program.inputs)) this.#check(name, input);
    for (const axis of axes) {
      // Coordinates are a tensor too: the one that holds i at i.
      const data = Float64Array.from({ length: size(axis) }, (_, i) => i);
      this.#tensors.set(axis, {
        data,
        steps: { ...still, [axis]: 1 },
        lookups: [],
        lookupSteps: [],
        width: 1,
      });
      this.#number(lengths[axis], [size(axis)]);
    }
    for (const [name, value] of Object.entries(operands.uniforms)) this.#number(name, [value]);
    for (const [name, cell] of Object.entries(this.cells)) this.#number(name, cell);
  }

  /** The rows in order: every batch, head and query. */
  *rows(): Generator<Row> {
    const { batch: batches, head: heads, keyHead: keyHeads, query: queries } = this.sizes;
    for (let batch = 0; batch < batches; batch++) {
      for (let head = 0; head < heads; head++) {
        const keyHead = Math.floor((head * keyHeads) / heads);
        for (let query = 0; query < queries; query++) yield { batch, head, keyHead, query };
      }
    }
  }

  /** Which row it is, counted as `rows` does. */
  indexOf({ batch, head, query }: Row): number {
    return (batch * this.sizes.head + head) * this.sizes.query + query;
  }

  /** An input; its numbers are copied when they are first asked for. */
  tensor(name: string): Tensor {
    const known = this.#tensors.get(name);
    if (known) return known;
    const { type, along } = this.#program.inputs[name]!;
    const input = this.#operands.input(name);
    const { shape } = input;
    const steps = rowMajor(shape);
    const made: Tensor = {
      data: input.read(),
      steps: { ...still, ...Object.fromEntries(along.map((axis, i) => [axis, steps[i]!])) },
      lookups: shape.slice(along.length, along.length + type.lookups),
      lookupSteps: steps.slice(along.length, along.length + type.lookups),
      width: product(shape.slice(along.length)),
    };
    this.#tensors.set(name, made);
    return made;
  }

  /** Makes formulas ready to be followed from pair to pair. */
  follow(roots: readonly Expr[]): Follower {
    const ready = prepare(this.#program.kind, roots, this.#program.sizes);
    const moved = ready.inputs.flatMap(({ data: { name } }) => {
      const tensor = this.tensor(name);
      // An axis of no length has no row and no pair, so what varies along it is never read.
      if (tensor.data.length === 0 && tensor.width > 0) return [];
      const cursor = feed(ready, name, { sizes: tensor.lookups, data: tensor.data });
      return cursor ? { cursor, tensor, start: 0 } : [];
    });
    return new Follower(ready.run, ready.number, ready.view, moved);
  }

  #number(name: string, data: ArrayLike<number>): void {
    this.#tensors.set(name, { data, steps: still, lookups: [], lookupSteps: [], width: 1 });
  }

  #check(name: string, { type, along }: AttendInput): void {
    const { sizes, kind } = this.#program;
    const input = this.#operands.input(name);
    const got = input.shape;
    const dims = type.dims.map((dim) => sizeOf(dim, sizes));
    const missing = type.dims.find((_, i) => dims[i] === undefined);
    if (missing !== undefined) {
      throw new BackendError(
        `reference: ${kind}: "${name}": expected a size for dim "${missing}", got none.`,
      );
    }
    const lookups = got.slice(along.length, along.length + type.lookups);
    const expected = [...along.map((axis) => this.sizes[axis]), ...lookups, ...(dims as number[])];
    const words = [...along, ...lookups.map(() => 'entries'), ...type.dims].join(', ');
    input.expectShape(expected, `[${words}]`);
  }
}

interface Moved {
  readonly cursor: Cursor;
  readonly tensor: Tensor;
  start: number;
}

/** Formulas of one place after another. Only inputs that vary along keys move from key to key. */
export class Follower {
  readonly #run: () => void;
  readonly number: (root?: number) => number;
  readonly view: ReturnType<typeof prepare>['view'];
  readonly #all: readonly Moved[];
  readonly #byKey: readonly Moved[];

  constructor(run: () => void, number: Follower['number'], view: Follower['view'], all: readonly Moved[]) {
    this.#run = run;
    this.number = number;
    this.view = view;
    this.#all = all;
    this.#byKey = all.filter(({ tensor }) => tensor.steps.key !== 0);
  }

  toRow(row: Row): void {
    for (const moved of this.#all) {
      moved.start = startOf(moved.tensor, row);
      moved.cursor.offset = moved.start;
    }
  }

  toKey(key: number): void {
    for (const { cursor, tensor, start } of this.#byKey) cursor.offset = start + key * tensor.steps.key;
  }

  /** Computes all formulas where they stand. */
  run(): void {
    this.#run();
  }

  /** Computes them and gives the number of the first. */
  get(): number {
    this.#run();
    return this.number(0);
  }
}
