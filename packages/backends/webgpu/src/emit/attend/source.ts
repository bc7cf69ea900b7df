// What formulas read for the pairs of one invocation: a group of queries by a few keys side by side.

import type { NodeOf, Sizes } from '@heed/expr';
import type { Axis, Uniforms } from '@heed/tensor';
import type { Position, Source } from '../expression.ts';
import { type Lanes, typeOf, type Width } from '../lanes.ts';
import type { Code, ShaderWriter } from '../shader.ts';
import { handed, isAxis, isLength } from './axes.ts';
import { type Operand, offsetOf, read, readFour, sumOf, term, variesAlong } from './operand.ts';

/** The rows of one invocation: i32 expressions. */
export interface Rows {
  readonly batch: string;
  readonly keyHead: string;
  /** One for all rows, or one for each. */
  readonly head: Lanes;
  /** One for each row. What lies past the last is computed like the others and goes nowhere. */
  readonly query: Lanes;
  /** The same, no further than the last row: what may be read. */
  readonly readHead: Lanes;
  readonly readQuery: Lanes;
}

/** The keys of one invocation, as wide as the lanes: where they are, and the same no further than the last. */
export interface Keys {
  readonly key: string;
  readonly readKey: string;
}

/** Numbers that lie ready nearby for one position of vectors. */
export interface Ready {
  readonly position: Position;
  readonly lanes: () => Lanes;
}

export interface PairSourceOptions {
  readonly shader: ShaderWriter;
  readonly code: Code;
  readonly width: Width;
  readonly sizes: Sizes;
  readonly uniforms: Uniforms;
  readonly operands: Readonly<Record<string, Operand>>;
  readonly rows: Rows;
}

const lanesOf = (width: Width): readonly string[] => (width === 1 ? [''] : ['.x', '.y', '.z', '.w']);

export class PairSource implements Source {
  readonly #options: PairSourceOptions;
  /** By operand, for each row of the group or for all of them: where its elements begin, before any key. */
  readonly #starts = new Map<string, Lanes>();
  readonly #handed = new Map<string, Lanes>();
  readonly #ready = new Map<string, Ready>();
  #keys: Keys | null = null;

  /** Writes where the operands begin for these rows, so that it is known wherever they are read. */
  constructor(options: PairSourceOptions) {
    this.#options = options;
    for (const operand of Object.values(options.operands))
      this.#starts.set(operand.name, this.#start(operand));
  }

  /** Moves to other keys. */
  moveTo(keys: Keys): void {
    this.#keys = keys;
  }

  /** What a formula reads under a name that one stage hands to the next. */
  hand(name: string, lanes: Lanes): void {
    this.#handed.set(name, lanes);
  }

  /** While `body` writes, an operand's number at a position is taken from nearby. */
  during(ready: Readonly<Record<string, Ready>>, body: () => void): void {
    for (const [name, one] of Object.entries(ready)) this.#ready.set(name, one);
    body();
    for (const name of Object.keys(ready)) this.#ready.delete(name);
  }

  group({ data: { name } }: NodeOf<'input'>): number {
    const { rows, operands } = this.#options;
    if (name === 'query' || handed.has(name)) return rows.query.length;
    if (name === 'head') return rows.head.length;
    const operand = Object.hasOwn(operands, name) ? operands[name] : undefined;
    return operand ? (this.#starts.get(name) as Lanes).length : 1;
  }

  scalar({ data: { name } }: NodeOf<'input'>): Lanes {
    const { operands, uniforms, shader } = this.#options;
    const handed = this.#handed.get(name);
    if (handed) return handed;
    if (isAxis(name)) return this.#place(name);
    if (isLength(name)) return this.#repeat('int', [shader.length(name)]);
    if (Object.hasOwn(operands, name)) return this.#read(operands[name] as Operand, [], []);
    const type = Object.hasOwn(uniforms, name) ? uniforms[name] : undefined;
    if (type) return this.#repeat(type, [shader.uniform(name, type)]);
    throw new Error(`attend: a formula reads "${name}", which is no input, uniform or place.`);
  }

  element({ data: { name } }: NodeOf<'input'>, at: readonly Position[]): Lanes {
    const ready = this.#ready.get(name);
    if (ready && at.length === 1 && at[0] === ready.position) return ready.lanes();
    return this.#read(this.#options.operands[name] as Operand, [], at);
  }

  lookup({ data: { name } }: NodeOf<'input'>, indices: readonly Lanes[], at: readonly Position[]): Lanes {
    return this.#read(this.#options.operands[name] as Operand, indices, at);
  }

  /** Reads four elements of an operand bound in fours, from a multiple of four on; returns what gives the lanes of each. */
  fours(operand: Operand, at: Position): (i: number) => Lanes {
    const { shader, code, width } = this.#options;
    const byKey = variesAlong(operand, 'key');
    const lanes = byKey ? lanesOf(width) : [''];
    const rows = (this.#starts.get(operand.name) as Lanes).map((start) =>
      lanes.map((lane) => {
        const index = this.#index(operand, start, lane, [], [at]);
        return code.let(operand.name, readFour(shader, operand, index));
      }),
    );
    return (i) => {
      const values = rows.map((fours) => fours.map((four) => `${four}.${'xyzw'[i]}`));
      return byKey && width === 4
        ? values.map((each) => code.let(operand.name, `vec4<f32>(${each.join(', ')})`))
        : this.#repeat(
            'float',
            values.map(([one]) => one as string),
          );
    };
  }

  #place(axis: Axis): Lanes {
    const { rows } = this.#options;
    if (axis === 'key') return [this.#key().key];
    return this.#repeat('int', axis === 'query' || axis === 'head' ? rows[axis] : [rows[axis]]);
  }

  #key(): Keys {
    if (!this.#keys) throw new Error('attend: a formula of rows reads what varies along keys.');
    return this.#keys;
  }

  #start(operand: Operand): Lanes {
    const { shader, code, rows } = this.#options;
    const along = (axis: Axis, coordinate: string): string | null => {
      const at = operand.along.indexOf(axis);
      return at < 0 ? null : term(shader, operand, at, coordinate);
    };
    const byHead = variesAlong(operand, 'head') && rows.head.length > 1;
    const base = code.let(
      operand.name,
      sumOf([
        offsetOf(shader, operand),
        along('batch', rows.batch),
        along('keyHead', rows.keyHead),
        byHead ? null : along('head', rows.readHead[0] as string),
      ]),
    );
    if (!byHead && !variesAlong(operand, 'query')) return [base];
    return rows.readQuery.map((query, i) =>
      code.let(
        operand.name,
        sumOf([base, byHead ? along('head', rows.readHead[i] as string) : null, along('query', query)]),
      ),
    );
  }

  /** The numbers of an operand at indices of a table, which may be outside it, and positions within what stands there. */
  #read(operand: Operand, indices: readonly Lanes[], at: readonly Position[]): Lanes {
    const starts = this.#starts.get(operand.name) as Lanes;
    const group = Math.max(starts.length, ...indices.map(({ length }) => length));
    const byKey = variesAlong(operand, 'key');
    const single = indices.length === 0 && !byKey;
    const values = Array.from({ length: group }, (_, i) => {
      const start = starts[starts.length === 1 ? 0 : i] as string;
      const index = indices.map((lanes) => lanes[lanes.length === 1 ? 0 : i] as string);
      return single ? this.#one(operand, start, '', [], at) : this.#each(operand, start, index, at);
    });
    if (!single) return values;
    return this.#repeat(
      operand.type.element,
      values.map((value) => this.#options.code.let(operand.name, value)),
    );
  }

  /** One number for each lane. */
  #each(operand: Operand, start: string, indices: readonly string[], at: readonly Position[]): string {
    const { code, width } = this.#options;
    const lanes = lanesOf(width);
    if (indices.length === 0) {
      const each = lanes.map((lane) => this.#one(operand, start, lane, [], at));
      return code.let(
        operand.name,
        width === 1 ? (each[0] as string) : `${typeOf(operand.type.element, 4)}(${each.join(', ')})`,
      );
    }
    const type = typeOf(operand.type.element, width);
    if (this.#lookups(operand).includes(0)) return code.let(operand.name, `${type}()`);
    // Entries of the table are read in any case and then left out: no branch for each lane.
    const ints = typeOf('int', width);
    const nearest = indices.map((index, i) =>
      code.let('index', `clamp(${index}, ${ints}(0), ${ints}(${this.#size(operand, i)} - 1))`),
    );
    const inside = indices.map((index, i) => `(${index} == ${nearest[i]})`).join(' & ');
    const each = lanes.map((lane) =>
      this.#one(
        operand,
        start,
        lane,
        nearest.map((index) => `${index}${lane}`),
        at,
      ),
    );
    const entry = width === 1 ? (each[0] as string) : `${type}(${each.join(', ')})`;
    return code.let(operand.name, `select(${type}(), ${entry}, ${inside})`);
  }

  #one(
    operand: Operand,
    start: string,
    lane: string,
    indices: readonly string[],
    at: readonly Position[],
  ): string {
    return read(this.#options.shader, operand, this.#index(operand, start, lane, indices, at));
  }

  #index(
    operand: Operand,
    start: string,
    lane: string,
    indices: readonly string[],
    at: readonly Position[],
  ): string {
    const { shader } = this.#options;
    const { along, type } = operand;
    const key = along.indexOf('key');
    const terms = [
      start,
      key < 0 ? null : term(shader, operand, key, `${this.#key().readKey}${lane}`),
      ...indices.map((index, i) => term(shader, operand, along.length + i, index)),
      ...at.map((one, i) => term(shader, operand, along.length + type.lookups + i, one)),
    ];
    return sumOf(terms);
  }

  #lookups({ layout, along, type }: Operand): readonly number[] {
    return layout.shape.slice(along.length, along.length + type.lookups);
  }

  #size({ name, along }: Operand, lookup: number): string {
    return this.#options.shader.size(name, along.length + lookup);
  }

  #repeat(element: 'float' | 'int' | 'bool', values: Lanes): Lanes {
    const { width } = this.#options;
    return width === 1 ? values : values.map((value) => `${typeOf(element, width)}(${value})`);
  }
}
