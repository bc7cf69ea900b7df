// context = sum over keys of weight times value, for a tile: weights pass through workgroup memory, each invocation sums a
// few columns for its rows.

import { typeOf } from '../lanes.ts';
import type { PairKernel } from './kernel.ts';
import { RowCells } from './rows.ts';
import { cellWidth, groupCells, invocationsOf, keysOf, rowCells, rowsOf, type TileShape } from './shape.ts';
import { ValueReader, type Values } from './value.ts';

/** How the invocations that share rows divide columns and keys among themselves. */
export interface Columns {
  /** Invocations side by side along columns, each with four of them at a time. */
  readonly lanes: number;
  /** How often: an invocation has columns lane + lanes * n, in fours. */
  readonly times: number;
  /** Those that have the same columns take keys in turns. */
  readonly parts: number;
  /** Columns of one workgroup, and how many workgroups share the columns of a row. */
  readonly width: number;
  readonly blocks: number;
}

/** @param most fours of columns that one invocation may sum. */
export function columnsOf(shape: TileShape, width: number, most: number): Columns {
  const fours = Math.ceil(width / 4);
  let lanes = 1;
  while (lanes < shape.across && lanes < fours) lanes *= 2;
  const blocks = Math.max(1, Math.ceil(fours / (lanes * most)));
  const times = Math.ceil(fours / blocks / lanes);
  return { lanes, times, parts: shape.across / lanes, width: 4 * lanes * times, blocks };
}

/** What a weight of a pair that is not allowed is written as: it weighs nothing, and is told from a zero. */
const BARRED = '0x80000000u';

/** Keys whose values one invocation asks for together. */
const TOGETHER = 4;

export interface ContextOptions {
  readonly values: Values;
  readonly columns: Columns;
  /** The first column of the workgroup's, a multiple of 4. */
  readonly firstColumn: string;
  /** Where keys end. */
  readonly end: string;
  /** Whether all pairs within the lengths are allowed. */
  readonly open: boolean;
  /** Whether values pass through workgroup memory, for rows of several invocations. */
  readonly shared: boolean;
}

export class Context {
  readonly #kernel: PairKernel;
  readonly #options: ContextOptions;
  readonly #reader: ValueReader;
  readonly #weights: string;
  /** Nonzero once a value was seen that is infinite or NaN. */
  readonly #strange: string;
  /** For each row of the invocation, and each of its fours of columns. */
  readonly #sums: readonly (readonly string[])[];
  readonly #lane: string;
  readonly #part: string;

  constructor(kernel: PairKernel, options: ContextOptions) {
    this.#kernel = kernel;
    this.#options = options;
    const { shader, code, shape, tile, across } = kernel;
    const { columns } = options;
    this.#reader = new ValueReader(shader, code, options.values, tile);
    this.#weights = shader.workgroup(
      'weights',
      typeOf('float', cellWidth(shape)),
      keysOf(shape) * rowCells(shape),
      4 * cellWidth(shape),
    );
    this.#strange = options.open || !options.shared ? '' : shader.workgroup('strange', 'atomic<u32>', 1);
    if (this.#strange) code.if('lid == 0', () => code.line(`atomicStore(&${this.#strange}[0], 0u);`));
    this.#lane = columns.parts === 1 ? across : code.let('lane', `${across} % ${columns.lanes}`);
    this.#part = columns.parts === 1 ? '0' : code.let('part', `${across} / ${columns.lanes}`);
    this.#sums = Array.from({ length: shape.group }, () =>
      Array.from({ length: columns.times }, () => code.var('context', 'vec4<f32>()', 'vec4<f32>')),
    );
  }

  static weightBytes(shape: TileShape): number {
    return keysOf(shape) * rowsOf(shape) * 4;
  }

  /** The columns of a result. */
  get columns(): { readonly dims: readonly number[]; readonly width: number } {
    return this.#options.values;
  }

  /** Multiplies the sums of each row. */
  scale(by: RowCells): void {
    this.#sums.forEach((sums, g) => {
      for (const sum of sums) this.#kernel.code.line(`${sum} *= ${by.of(g)};`);
    });
  }

  /** Adds a tile: weights of the invocation's pairs, of which those not allowed are skipped. */
  add(firstKey: string, weights: readonly string[], allowed: readonly string[]): void {
    const { code, shape, across, down, stage } = this.#kernel;
    const { width } = shape;
    const [bits, floats] = width === 1 ? ['u32', 'f32'] : ['vec4<u32>', 'vec4<f32>'];
    const taken = weights.map((weight, g) =>
      // As integers, since compilers need not tell the two zeros apart.
      code.let(
        'taken',
        `bitcast<${floats}>(select(${bits}(${BARRED}), bitcast<${bits}>(${weight}), ${allowed[g]}))`,
      ),
    );
    // The weights of the tile before may still be read.
    stage.claim(0);
    const cells = groupCells(shape);
    for (let lane = 0; lane < width; lane++) {
      const ofKey = taken.map((one) => (width === 1 ? one : `${one}.${'xyzw'[lane]}`));
      for (let i = 0; i < cells; i++) {
        const cell =
          cellWidth(shape) === 1
            ? (ofKey[i] as string)
            : `vec4<f32>(${ofKey.slice(4 * i, 4 * i + 4).join(', ')})`;
        const key = width === 1 ? across : `(${across} * 4 + ${lane})`;
        const own = shape.down === 1 ? i : `${down} * ${cells} + ${i}`;
        code.set(`${this.#weights}[${key} * ${rowCells(shape)} + ${own}]`, cell);
      }
    }
    if (this.#options.columns.times === 0) return;
    if (this.#options.shared) this.#addShared(firstKey);
    else this.#addOwn(firstKey);
    stage.use();
  }

  /** Each value is read by one invocation, from where it is stored: of several keys before any of them is waited for. */
  #addOwn(firstKey: string): void {
    const { code, shape, stage } = this.#kernel;
    const { columns, end, firstColumn, open } = this.#options;
    const { parts } = columns;
    stage.barrier();
    const keys = code.let('count', `min(${keysOf(shape)}, ${end} - ${firstKey})`);
    const each = (from: string, to: string, many: number): void =>
      code.for(
        'j',
        from,
        to,
        (j) => {
          const read = Array.from({ length: many }, (_, i) => {
            const at = i === 0 ? j : code.let('at', `${j} + ${i * parts}`);
            const key = code.let('key', `${firstKey} + ${at}`);
            const values = Array.from({ length: columns.times }, (_, n) => {
              const column = code.let('column', `${firstColumn} + ${this.#columnOf(n)} * 4`);
              return columns.width * columns.blocks === this.#options.values.width
                ? this.#reader.read(key, column)
                : this.#guarded(column, key);
            });
            return { at, values };
          });
          const strange = read.flatMap(({ values }) => values.map(isStrange)).join(' || ');
          this.#multiply(read, open ? null : strange);
        },
        many * parts,
      );
    const steps = code.let('steps', `(${keys} - ${this.#part} + ${parts - 1}) / ${TOGETHER * parts}`);
    const rest = code.let('rest', `${this.#part} + ${steps} * ${TOGETHER * parts}`);
    each(this.#part, rest, TOGETHER);
    each(rest, keys, 1);
  }

  #guarded(column: string, key: string): string {
    const { code } = this.#kernel;
    const value = code.var('own', 'vec4<f32>()', 'vec4<f32>');
    code.if(`${column} < ${this.#options.values.width}`, () =>
      code.set(value, this.#reader.read(key, column)),
    );
    return value;
  }

  /** Values come through workgroup memory, as many keys at a time as fit. */
  #addShared(firstKey: string): void {
    const { code, shape, stage } = this.#kernel;
    const { columns, end, firstColumn, values, open } = this.#options;
    const fours = columns.width / 4;
    const keys = keysOf(shape);
    const room = Math.max(1, Math.floor(stage.cells / fours));
    const some = Math.ceil(keys / Math.ceil(keys / room));
    const piece = (from: string): void => {
      stage.claim(some * fours);
      code.for(
        'cell',
        'lid',
        String(some * fours),
        (cell) => {
          const j = code.let('j', `${cell} / ${fours}`);
          const column = code.let('column', `${firstColumn} + (${cell} - ${j} * ${fours}) * 4`);
          const key = code.let('key', sumOfStrings(firstKey, from, j));
          const value = code.var('staged', 'vec4<f32>()', 'vec4<f32>');
          const beyond =
            columns.width * columns.blocks === values.width ? '' : ` && ${column} < ${values.width}`;
          code.if(`${key} < ${end}${beyond}`, () => code.set(value, this.#reader.read(key, column)));
          if (!open) code.if(isStrange(value), () => code.line(`atomicStore(&${this.#strange}[0], 1u);`));
          code.set(`${stage.name}[${cell}]`, value);
        },
        invocationsOf(shape),
      );
      stage.barrier();
      const strange = open ? null : code.let('strange', `atomicLoad(&${this.#strange}[0]) != 0u`);
      const most = keys % some === 0 ? String(some) : `min(${some}, ${keys} - ${from})`;
      const loop = (careful: boolean): void =>
        code.for(
          'j',
          this.#part,
          most,
          (j) => {
            const own = Array.from({ length: columns.times }, (_, n) =>
              code.let('value', `${stage.name}[${j} * ${fours} + ${this.#columnOf(n)}]`),
            );
            this.#multiply(
              [{ at: from === '0' ? j : `(${from} + ${j})`, values: own }],
              careful ? 'true' : null,
            );
          },
          columns.parts,
        );
      if (strange === null) loop(false);
      else
        code.if(
          strange,
          () => loop(true),
          () => loop(false),
        );
      stage.use();
    };
    if (some === keys) piece('0');
    else {
      stage.use();
      code.for('from', '0', String(keys), piece, some);
    }
  }

  /** The invocation's n-th four of columns, counted within the workgroup's. */
  #columnOf(n: number): string {
    return n === 0 ? this.#lane : `(${this.#lane} + ${n * this.#options.columns.lanes})`;
  }

  /** Adds weight times value of keys. Where `careful` may hold, pairs that are not allowed are told apart. */
  #multiply(
    keys: readonly { readonly at: string; readonly values: readonly string[] }[],
    careful: string | null,
  ): void {
    const { code, shape, down } = this.#kernel;
    const own = groupCells(shape);
    const weighed = keys.map(({ at, values }) => {
      const cells = Array.from({ length: own }, (_, i) =>
        code.let(
          'weight',
          `${this.#weights}[${at} * ${rowCells(shape)} + ${shape.down === 1 ? i : `${down} * ${own} + ${i}`}]`,
        ),
      );
      return { values, weights: new RowCells(cells, cellWidth(shape)) };
    });
    const all = (told: boolean) => (): void => {
      for (const { values, weights } of weighed) {
        this.#sums.forEach((sums, g) => {
          const add = (): void =>
            sums.forEach((sum, n) => {
              code.set(sum, `${sum} + ${weights.of(g)} * ${values[n]}`);
            });
          if (told) code.if(`bitcast<u32>(${weights.of(g)}) != ${BARRED}`, add);
          else add();
        });
      }
    };
    if (careful === null) all(false)();
    else if (careful === 'true') all(true)();
    else code.if(careful, all(true), all(false));
  }

  /** Sums over the invocations that took keys in turns; then calls `put` where there is a column to store. */
  finish(put: (g: number, column: string, four: string) => void): void {
    const { code, shape } = this.#kernel;
    const { columns, firstColumn, values } = this.#options;
    if (columns.parts > 1) this.#join();
    const store = (): void => {
      for (let g = 0; g < shape.group; g++) {
        for (let n = 0; n < columns.times; n++) {
          const column = code.let('column', `${firstColumn} + ${this.#columnOf(n)} * 4`);
          code.if(`${column} < ${values.width}`, () => put(g, column, this.#sums[g]?.[n] as string));
        }
      }
    };
    if (columns.parts === 1) store();
    else code.if(`${this.#part} == 0`, store);
  }

  /** One row and four columns at a time through workgroup memory, of half as many invocations each time. */
  #join(): void {
    const { code, shape, stage } = this.#kernel;
    const { columns } = this.#options;
    const floats = shape.width === 1;
    const cellsOf = (who: string): readonly string[] =>
      floats ? [0, 1, 2, 3].map((c) => `${stage.name}[${who} * 4 + ${c}]`) : [`${stage.name}[${who}]`];
    for (const sum of this.#sums.flat()) {
      const store = (): void =>
        cellsOf('lid').forEach((cell, c) => {
          code.set(cell, floats ? `${sum}.${'xyzw'[c]}` : sum);
        });
      stage.claim(invocationsOf(shape) * (floats ? 4 : 1));
      store();
      for (let half = columns.parts / 2; half >= 1; half /= 2) {
        stage.barrier();
        code.if(`${this.#part} < ${half}`, () => {
          const others = cellsOf(code.let('other', `lid + ${half * columns.lanes}`)).join(', ');
          code.set(sum, `${sum} + ${floats ? `vec4<f32>(${others})` : others}`);
          if (half > 1) store();
        });
      }
      stage.use();
    }
  }
}

const sumOfStrings = (...terms: readonly string[]): string =>
  terms.filter((one) => one !== '0').join(' + ') || '0';

/** Whether any of four floats is infinite or NaN. */
const isStrange = (value: string): string =>
  `any((bitcast<vec4<u32>>(${value}) & vec4<u32>(0x7f800000u)) == vec4<u32>(0x7f800000u))`;
