// The frame of every kernel over pairs: where an invocation's rows and keys lie, and sweeps over tiles of keys that give
// the scores of the pairs and whether the mask allows them.

import { asNode, type Expr, type NodeOf, reachable } from '@heed/expr';
import { type AttendProgram, axisNames, lengthNames } from '@heed/tensor';
import { ExpressionWriter, laneOf } from '../expression.ts';
import { type Lanes, typeOf } from '../lanes.ts';
import type { Code, ShaderWriter } from '../shader.ts';
import { PRODUCT } from './axes.ts';
import type { Cheapened } from './cheaper.ts';
import { type Axes, isLiteral, readsOf, rowScalars } from './formulas.ts';
import { MaskBounds, type Truth } from './mask-bounds.ts';
import { type Operand, offsetOf, read, sumOf, term } from './operand.ts';
import { type ProductDesign, ProductTile } from './product.ts';
import { type RowTile, rowAt, rowsAt } from './row-tile.ts';
import { keysOf, rowsOf, type TileShape } from './shape.ts';
import { PairSource, type Rows } from './source.ts';
import { type Box, FAR, type Span } from './spans.ts';
import { Stage, type TilePlace, TileWriter } from './stage.ts';
import { type Subgroup, subgroupOf } from './subgroup.ts';

/** What kernels of one program over one class of shapes have in common. */
export interface Design {
  readonly program: AttendProgram;
  readonly operands: Readonly<Record<string, Operand>>;
  readonly axes: Axes;
  readonly cheaper: Cheapened | null;
  /** The product of rows that subgroup matrices compute, in the score that stands in for the program's; null without. */
  readonly product: ProductDesign | null;
  /** Whether lengths are such that bounds of the mask can be told. */
  readonly bounded: boolean;
}

/** The pairs of one tile: for each row of the invocation, lanes of keys. */
export interface Pairs {
  /** The first key of the tile. */
  readonly first: string;
  readonly key: string;
  readonly scores: Lanes;
  readonly allowed: Lanes;
}

/** Tiles that are tested together before they are tested one by one. */
const SPAN = 8;

export interface KernelOptions {
  readonly shader: ShaderWriter;
  readonly design: Design;
  readonly shape: TileShape;
  readonly tile: RowTile;
  /** What is computed for pairs besides score and mask. */
  readonly roots: readonly Expr[];
  readonly stageCells: number;
}

export class PairKernel {
  readonly shader: ShaderWriter;
  readonly code: Code;
  readonly design: Design;
  readonly shape: TileShape;
  readonly tile: RowTile;
  readonly stage: Stage;
  readonly source: PairSource;
  readonly writer: TileWriter;
  readonly place: TilePlace;
  /** The invocation's place in the tile. */
  readonly down: string;
  readonly across: string;
  /** The rows of the invocation, counted as the tile's `first` is. */
  readonly flat: Lanes;
  readonly rows: Rows;
  readonly keyLength: string;
  /** Null where subgroups are missing, or too small. */
  readonly subgroup: Subgroup | null;
  readonly #rowSource: PairSource;
  readonly #bounds: MaskBounds | null;
  readonly #lastRow: string;
  readonly #score: Expr;
  readonly #product: ProductTile | null;

  constructor({ shader, design, shape, tile, roots, stageCells }: KernelOptions) {
    const { code } = shader;
    const { program, operands } = design;
    this.shader = shader;
    this.code = code;
    this.design = design;
    this.shape = shape;
    this.tile = tile;
    this.down = shape.down === 1 ? '0' : code.let('down', `lid / ${shape.across}`);
    this.across = shape.down === 1 ? 'lid' : code.let('across', `lid % ${shape.across}`);
    this.keyLength = code.let('keys', shader.length('keyLength'));
    this.#lastRow = code.let('last_row', `${tile.count} - 1`);
    this.subgroup = subgroupOf(shader, shape);
    this.stage = new Stage(shader, code, shape, stageCells);
    this.flat = Array.from({ length: shape.group }, (_, g) =>
      code.let(
        'row',
        sumOf([tile.first, shape.down === 1 ? null : `${this.down} * ${shape.group}`, String(g)]),
      ),
    );
    this.rows = rowsAt(shader, tile, this.flat, this.#lastRow);
    const cheap = design.cheaper?.score;
    this.#score = design.product?.score ?? program.score;
    const all = [this.#score, program.mask, ...roots, ...(cheap ? [cheap] : [])];
    const used = among(operands, readsOf(...all));
    const common = { shader, code, sizes: program.sizes, uniforms: program.uniforms, rows: this.rows };
    this.source = new PairSource({ ...common, width: shape.width, operands: used });
    this.place = {
      batch: tile.batch,
      keyHead: tile.keyHead,
      head: tile.head,
      row: (n) => rowAt(shader, tile, code.let('row', `min(${tile.first} + ${n}, ${this.#lastRow})`)),
      key: (n) => code.let('key', `min(${this.#firstKey} + ${n}, ${this.keyLength} - 1)`),
    };
    this.writer = new TileWriter(
      {
        shader,
        code,
        width: shape.width,
        sizes: program.sizes,
        shape,
        stage: this.stage,
        operands: used,
        place: this.place,
        down: this.down,
        across: this.across,
      },
      this.source,
    );
    const { level, sink } = program.normalizer;
    const rowReads = readsOf(
      program.mask,
      ...(sink ? [sink] : []),
      ...(level.by === 'root' ? [level.low, level.high, program.normalizer.weight] : []),
    );
    this.#rowSource = new PairSource({ ...common, width: 1, operands: among(operands, rowReads) });
    this.writer.staging = false;
    for (const node of rowScalars(all, design.axes)) this.writer.part(node, []);
    this.writer.staging = true;
    this.#bounds = this.#maskBounds();
    this.#product = design.product && new ProductTile(this, design.product);
  }

  /** Numbers for each row of the invocation, of a formula that varies along no key. */
  ofRows(formula: Expr, handed: Readonly<Record<string, Lanes>> = {}): Lanes {
    for (const [name, lanes] of Object.entries(handed)) this.#rowSource.hand(name, lanes);
    const { shader, code, design, shape } = this;
    const writer = new ExpressionWriter(
      { shader, code, width: 1, sizes: design.program.sizes },
      this.#rowSource,
    );
    const [lanes] = writer.write(formula);
    return Array.from({ length: shape.group }, (_, g) => laneOf(lanes as Lanes, g));
  }

  /** Lanes of a formula of pairs, one list item for each row. */
  ofPairs(formula: Expr, handed: Readonly<Record<string, Lanes>> = {}): Lanes {
    for (const [name, lanes] of Object.entries(handed)) this.source.hand(name, lanes);
    return this.#spread(this.writer.write(formula)[0] as Lanes);
  }

  /** Whether the row is one that there is. */
  isRow(g: number): string {
    return `${this.flat[g]} < ${this.tile.count}`;
  }

  /** Whether all guards hold for the tile of rows and of keys that the sweep has come to. */
  guarded(guards: readonly Operand[]): string {
    const { shader, tile, shape } = this;
    const holds = guards.map((guard) => {
      const coordinate = {
        batch: tile.batch,
        keyHead: tile.keyHead,
        head: tile.head as string,
        query: `(${tile.first} / ${rowsOf(shape)})`,
        key: `(${this.#firstKey} / ${keysOf(shape)})`,
      };
      const index = sumOf([
        offsetOf(shader, guard),
        ...guard.along.map((axis, at) => term(shader, guard, at, coordinate[axis])),
      ]);
      return `${read(shader, guard, index)} != 0.0`;
    });
    return holds.join(' && ') || 'true';
  }

  /** For each tile of keys within the range that may hold an allowed pair. The workgroup arrives there as a whole. */
  sweep(from: string, to: string, body: (pairs: Pairs) => void): void {
    const { code, shape } = this;
    const keys = keysOf(shape);
    const one = (first: string): void => {
      this.stage.use();
      const last = code.let('last_key', `min(${first} + ${keys}, ${to}) - 1`);
      this.#tested(first, last, (truth) => this.#tile(first, to, truth, body));
    };
    if (!this.#bounds) {
      code.for('first', from, to, one, keys);
      return;
    }
    code.for(
      'span',
      from,
      to,
      (span) => {
        const end = code.let('end', `min(${span} + ${SPAN * keys}, ${to})`);
        this.#tested(span, code.let('last_key', `${end} - 1`), () => code.for('first', span, end, one, keys));
      },
      SPAN * keys,
    );
  }

  #firstKey = '0';

  #tested(first: string, last: string, body: (truth: Truth) => void): void {
    const truth = this.#bounds?.of(this.#box(first, last)) ?? { possible: 'true', sure: 'false' };
    if (truth.possible === 'true') body(truth);
    else this.code.if(truth.possible, () => body(truth));
  }

  /** One tile: `none` instead of `body` where the mask surely allows nothing. */
  tileAt(first: string, to: string, body: (pairs: Pairs) => void, none: () => void): void {
    const { code, shape } = this;
    const last = code.let('last_key', `min(${first} + ${keysOf(shape)}, ${to}) - 1`);
    const truth = this.#bounds?.of(this.#box(first, last)) ?? { possible: 'true', sure: 'false' };
    const write = (): void => this.#tile(first, to, truth, body);
    if (truth.possible === 'true') write();
    else code.if(truth.possible, write, none);
  }

  #tile(first: string, to: string, truth: Truth, body: (pairs: Pairs) => void): void {
    const { code, shape, writer, design } = this;
    const { width } = shape;
    this.#firstKey = first;
    writer.scoped(() => {
      const start = `${first} + ${this.across}${width === 1 ? '' : ' * 4'}`;
      const key = code.let('key', width === 1 ? start : `vec4<i32>(${start}) + vec4<i32>(0, 1, 2, 3)`);
      const end = typeOf('int', width);
      const readKey = code.let('read_key', `min(${key}, ${end}(${this.keyLength} - 1))`);
      this.source.moveTo({ key, readKey });
      const scores = this.#scores();
      const inside = code.let('inside', `${key} < ${end}(${to})`);
      const masked = !isLiteral(design.program.mask, 1) && truth.sure !== 'true';
      const allowed = masked ? this.#allowed(inside, truth.sure) : Array<string>(shape.group).fill(inside);
      body({ first, key, scores, allowed });
    });
  }

  #allowed(inside: string, sure: string): Lanes {
    const { code, shape, design, writer } = this;
    const write = (): Lanes => {
      writer.staging = false;
      const lanes = this.#spread(writer.write(design.program.mask)[0] as Lanes);
      writer.staging = true;
      return lanes;
    };
    if (sure === 'false') return write().map((one) => code.let('allowed', `${inside} & ${one}`));
    const allowed = Array.from({ length: shape.group }, () =>
      code.var('allowed', inside, typeOf('bool', shape.width)),
    );
    code.if(`!(${sure})`, () =>
      writer.scoped(() => {
        write().forEach((one, g) => {
          code.set(allowed[g] as string, `${inside} & ${one}`);
        });
      }),
    );
    return allowed;
  }

  #scores(): Lanes {
    const { code, shape, design, writer } = this;
    const write = (score: Expr): Lanes => this.#spread(writer.write(score)[0] as Lanes);
    const { cheaper } = design;
    if (this.#product) this.source.hand(PRODUCT, this.#product.lanes());
    if (!cheaper) return write(this.#score);
    const scores = Array.from({ length: shape.group }, () =>
      code.var('score', `${typeOf('float', shape.width)}()`),
    );
    const branch = (score: Expr) => (): void =>
      writer.scoped(() => {
        this.stage.use();
        write(score).forEach((one, g) => {
          code.set(scores[g] as string, one);
        });
        this.stage.use();
      });
    code.if(this.guarded(cheaper.guards), branch(cheaper.score), branch(this.#score));
    return scores;
  }

  #spread(lanes: Lanes): Lanes {
    return Array.from({ length: this.shape.group }, (_, g) => laneOf(lanes, g));
  }

  #maskBounds(): MaskBounds | null {
    const { shader, code, design, tile } = this;
    const { mask } = design.program;
    if (!design.bounded || isLiteral(mask, 1)) return null;
    const inputs = new Map<string, NodeOf<'input'>>();
    for (const node of reachable([asNode(mask)])) if (node.op === 'input') inputs.set(node.data.name, node);
    const fixed = new Set(['batch', 'keyHead', ...(tile.head === null ? [] : ['head'])]);
    return new MaskBounds(shader, code, mask, {
      read: (name) => {
        const node = inputs.get(name) as NodeOf<'input'>;
        const same = [...design.axes.named(name)].every((axis) => fixed.has(axis));
        return same ? (this.#rowSource.scalar(node)[0] as string) : null;
      },
    });
  }

  #box(firstKey: string, lastKey: string): Box {
    const { shader, tile, shape } = this;
    const span = (low: string, high = low): Span => ({ low, high, most: FAR });
    const packed = tile.head === null;
    const last = (name: string): string => `${shader.length(name)} - 1`;
    const lastRow = `min(${tile.first} + ${rowsOf(shape) - 1}, ${this.#lastRow})`;
    return {
      batch: span(tile.batch),
      keyHead: span(tile.keyHead),
      head: packed ? span(tile.firstHead, last(lengthNames.head)) : span(tile.head as string),
      query: packed ? span('0', last(lengthNames.query)) : span(tile.first, lastRow),
      key: span(firstKey, lastKey),
    };
  }
}

/** The operands of these names. */
export const among = (operands: Design['operands'], names: ReadonlySet<string>): Design['operands'] =>
  Object.fromEntries(Object.entries(operands).filter(([name]) => names.has(name)));

/** Whether lengths are short enough for bounds of a mask to be told. */
export const areBounded = (sizes: Readonly<Record<string, number>>): boolean =>
  axisNames.every((axis) => (sizes[lengthNames[axis]] ?? 0) < FAR);
