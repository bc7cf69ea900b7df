// Workgroup memory through which rows of operands pass: a piece of every vector of the tile, element by element.

import { type Node, reachable } from '@heed/expr';
import { ExpressionWriter, type Position, type Site } from '../expression.ts';
import { type Lanes, typeOf } from '../lanes.ts';
import { lanewise } from '../lanewise.ts';
import type { Code, ShaderWriter } from '../shader.ts';
import { type Operand, offsetOf, read, readFour, strideClass, sumOf, term, variesAlong } from './operand.ts';
import { invocationsOf, keyCells, rowsOf, type TileShape } from './shape.ts';
import type { PairSource, Ready } from './source.ts';

/**
 * Memory of the workgroup that is written and read in turns. It is as large as what was taken of it at most: a device clears all of
 * it before every workgroup, and has room for as many workgroups as their memory leaves.
 */
export class Stage {
  readonly name: string;
  /** What may be taken. */
  readonly cells: number;
  readonly #code: Code;
  #taken = 0;
  /** Whether some invocation may still read what was written. */
  #busy = true;

  constructor(shader: ShaderWriter, code: Code, shape: TileShape, cells: number) {
    this.#code = code;
    this.cells = cells;
    this.name = shader.workgroup('stage', typeOf('float', shape.width), () => this.#taken, 4 * shape.width);
  }

  /** Before cells up to there are written; waits, unless nobody can be reading. */
  claim(cells: number): void {
    if (cells > this.cells) throw new Error(`attend: ${cells} cells of a stage of ${this.cells}.`);
    this.#taken = Math.max(this.#taken, cells);
    if (this.#busy) this.barrier();
  }

  /** All invocations wait for each other. */
  barrier(): void {
    this.#code.barrier();
    this.#busy = false;
  }

  /** What was written is going to be read, or a loop begins whose end reads it. */
  use(): void {
    this.#busy = true;
  }
}

/** Where the rows and keys of the tile lie, for invocations that fetch any of them: i32 expressions. */
export interface TilePlace {
  readonly batch: string;
  readonly keyHead: string;
  /** The head of all rows; null where they are of several, each of which may have keys of its own. */
  readonly head: string | null;
  /** The head and query of the n-th row of the tile, no further than the last there is. */
  row(n: string): { readonly head: string; readonly query: string };
  /** The n-th key of the tile, no further than the last there is. */
  key(n: string): string;
}

/** Which of the vectors that a fold reads are read at its own position, and lie along queries or along keys. */
function foldedInputs(
  by: readonly Node[],
  operands: Readonly<Record<string, Operand>>,
  { head }: TilePlace,
): Operand[] {
  const found = new Set<Operand>();
  const stack = [...by];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (node.type.dims.length !== 1) continue;
    if (node.op === 'input') {
      const operand = operands[node.data.name];
      if (!operand || node.type.lookups > 0) continue;
      const byKey = variesAlong(operand, 'key');
      const shared = head !== null || !byKey || !variesAlong(operand, 'head');
      if (variesAlong(operand, 'query') !== byKey && shared) found.add(operand);
    } else if (Object.hasOwn(lanewise, node.op)) {
      stack.push(...node.args);
    }
  }
  return [...found].sort((a, b) => (a.name < b.name ? -1 : 1));
}

export interface StagingSite extends Site {
  readonly shape: TileShape;
  readonly stage: Stage;
  readonly operands: Readonly<Record<string, Operand>>;
  readonly place: TilePlace;
  /** The invocation's place in the tile. */
  readonly down: string;
  readonly across: string;
}

/** Writes formulas of a tile's pairs. Folds read rows from workgroup memory; the workgroup must arrive as a whole. */
export class TileWriter extends ExpressionWriter {
  readonly #site: StagingSite;
  readonly #source: PairSource;
  #depth = 0;
  /** Whether folds may wait for the other invocations. */
  staging = true;

  constructor(site: StagingSite, source: PairSource) {
    super(site, source);
    this.#site = site;
    this.#source = source;
  }

  override loop(by: readonly Node[], size: number, body: (at: Position) => void): void {
    const inputs =
      this.#depth > 0 || !this.staging ? [] : foldedInputs(by, this.#site.operands, this.#site.place);
    const { stage, shape } = this.#site;
    const perElement = inputs.reduce((sum, one) => sum + pitch(shape, one), 0);
    const room = perElement === 0 ? 0 : Math.floor(stage.cells / perElement);
    // Where no other invocation reads the same keys there is nothing to share: each reads its own, without waiting.
    const alone =
      shape.down === 1 && size % 4 === 0 && inputs.every(({ fours }) => fours) && by.every(isLight);
    this.#depth++;
    if (room === 0) super.loop(by, size, body);
    else if (alone) this.#inFours(inputs, size, body);
    else this.#pieces(by, inputs, size, pieceOf(size, room), body);
    this.#depth--;
  }

  /** Reads four elements at a time of every row, from where it is stored. */
  #inFours(inputs: readonly Operand[], size: number, body: (at: Position) => void): void {
    const { code } = this.#site;
    code.for(
      'from',
      '0',
      String(size),
      (from) => {
        const fours = inputs.map((one) => this.#source.fours(one, from));
        for (let i = 0; i < 4; i++) {
          const position = i === 0 ? from : code.let('at', `${from} + ${i}`);
          const ready = inputs.map(({ name }, n): [string, Ready] => [
            name,
            { position, lanes: () => fours[n]?.(i) as Lanes },
          ]);
          this.#source.during(Object.fromEntries(ready), () => body(position));
        }
      },
      4,
    );
  }

  /** Brings `piece` elements at a time of every row into workgroup memory, and loops over them there. */
  #pieces(
    by: readonly Node[],
    inputs: readonly Operand[],
    size: number,
    piece: number,
    body: (at: Position) => void,
  ): void {
    const { code, stage } = this.#site;
    const each = (from: string): void => {
      stage.claim(piece * inputs.reduce((sum, one) => sum + pitch(this.#site.shape, one), 0));
      let start = 0;
      const starts = inputs.map((one) => {
        const own = start;
        this.#bring(one, own, from, piece, size);
        start += piece * pitch(this.#site.shape, one);
        return own;
      });
      stage.barrier();
      const most = size % piece === 0 ? String(piece) : `min(${piece}, ${size} - ${from})`;
      const steps = size % 4 === 0 && piece % 4 === 0 && by.every(isLight) ? 4 : 1;
      code.for(
        'i',
        '0',
        most,
        (i) => {
          const cells = inputs.map((one, n) => this.#cellsOf(one, starts[n] as number, i));
          for (let step = 0; step < steps; step++) {
            const position = sumOf([from, i, String(step)].filter((one) => one !== '0'));
            const at = position === i ? i : code.let('at', position);
            const ready = inputs.map((one, n): [string, Ready] => [
              one.name,
              { position: at, lanes: () => this.#lanes(one, cells[n] as string, step) },
            ]);
            this.#source.during(Object.fromEntries(ready), () => body(at));
          }
        },
        steps,
      );
      stage.use();
    };
    if (piece === size) {
      each('0');
      return;
    }
    stage.use();
    code.for('from', '0', String(size), each, piece);
  }

  /** Elements from..from+piece of all rows of the operand in the tile: [element][row], in cells. */
  #bring(operand: Operand, start: number, from: string, piece: number, size: number): void {
    const { shader, code, shape, stage, place, width } = this.#site;
    const byQuery = variesAlong(operand, 'query');
    const rows = cellsAlong(shape, operand);
    const feature = operand.along.length;
    const along = operand.along.indexOf(byQuery ? 'query' : 'key');
    // Neighbouring invocations read neighbouring numbers.
    const rowsFirst = strideClass(operand, feature) !== 1 && strideClass(operand, along) === 1;
    const at = (axis: 'batch' | 'keyHead' | 'head' | 'query' | 'key', coordinate: string): string | null => {
      const axisAt = operand.along.indexOf(axis);
      return axisAt < 0 ? null : term(shader, operand, axisAt, coordinate);
    };
    const base = code.let(
      'base',
      sumOf([
        offsetOf(shader, operand),
        at('batch', place.batch),
        at('keyHead', place.keyHead),
        byQuery || place.head === null ? null : at('head', place.head),
      ]),
    );
    // An invocation brings one element of as many rows as a cell holds, or four of them.
    const many = operand.fours && piece % 4 === 0 ? 4 : 1;
    const elements = piece / many;
    code.for(
      'cell',
      'lid',
      String(elements * rows),
      (cell) => {
        const [row, nth] = rowsFirst
          ? [code.let('row', `${cell} % ${rows}`), code.let('element', `${cell} / ${rows}`)]
          : [code.let('row', `${cell} / ${elements}`), code.let('element', `${cell} % ${elements}`)];
        const element = many === 1 ? nth : code.let('element', `${nth} * 4`);
        const position = code.let(
          'at',
          size % piece === 0 ? sumOf([from, element]) : `min(${from} + ${element}, ${size - many})`,
        );
        const brought = Array.from({ length: width }, (_, lane) => {
          const n = width === 1 ? row : code.let('n', `${row} * ${width} + ${lane}`);
          const own = byQuery ? place.row(n) : null;
          const index = sumOf([
            base,
            own ? at('head', own.head) : null,
            own ? at('query', own.query) : at('key', place.key(n)),
            term(shader, operand, feature, position),
          ]);
          return many === 1
            ? read(shader, operand, index)
            : code.let('four', readFour(shader, operand, index));
        });
        const cellAt = (i: number): string =>
          `${stage.name}[${i ? `(${element} + ${i})` : element} * ${pitch(shape, operand)} + ${row}${start ? ` + ${start}` : ''}]`;
        for (let i = 0; i < many; i++) {
          const numbers = many === 1 ? brought : brought.map((four) => `${four}.${'xyzw'[i]}`);
          code.set(cellAt(i), width === 1 ? (numbers[0] as string) : `vec4<f32>(${numbers.join(', ')})`);
        }
      },
      invocationsOf(shape),
    );
  }

  /** Where the numbers of this invocation's rows or keys lie at an element that was brought. */
  #cellsOf(operand: Operand, start: number, element: string): string {
    const { code, shape, down, across } = this.#site;
    const own = Math.ceil(shape.group / shape.width);
    const first = !variesAlong(operand, 'query') ? across : own === 1 ? down : `${down} * ${own}`;
    return code.let(
      'cell',
      sumOf([`${element} * ${pitch(shape, operand)}`, first, String(start)].filter((one) => one !== '0')),
    );
  }

  /** These numbers, some elements further on. */
  #lanes(operand: Operand, first: string, step: number): Lanes {
    const { code, shape, stage, width } = this.#site;
    const { group } = shape;
    const cell = (i: number): string => {
      const further = step * pitch(shape, operand) + i;
      return code.let(operand.name, `${stage.name}[${first}${further ? ` + ${further}` : ''}]`);
    };
    if (!variesAlong(operand, 'query')) return [cell(0)];
    const cells = Array.from({ length: Math.ceil(group / width) }, (_, i) => cell(i));
    if (width === 1) return cells;
    return Array.from({ length: group }, (_, g) => `vec4<f32>(${cells[Math.floor(g / 4)]}.${'xyzw'[g % 4]})`);
  }
}

/** Operations that take no longer than the loop around them: what is made of them alone is worth writing out several times. */
const light: ReadonlySet<string> = new Set(['input', 'add', 'sub', 'mul', 'neg', 'abs']);
const LIGHT = 4;

function isLight(node: Node): boolean {
  const nodes = [...reachable([node])].filter(({ type }) => type.dims.length > 0);
  return nodes.length <= LIGHT && nodes.every(({ op }) => light.has(op));
}

/** Elements of a piece: as many pieces as `room` for elements demands, of about the same size, in whole fours if possible. */
function pieceOf(size: number, room: number): number {
  if (size % 4 !== 0 || room < 4) return Math.ceil(size / Math.ceil(size / room));
  const fours = Math.floor(room / 4);
  return 4 * Math.ceil(size / 4 / Math.ceil(size / 4 / fours));
}

/** Cells, as wide as the lanes, that hold one element of every row or key of the tile. */
const cellsAlong = (shape: TileShape, operand: Operand): number =>
  variesAlong(operand, 'query') ? Math.ceil(rowsOf(shape) / shape.width) : keyCells(shape);

/** Cells from one element to the next: one more than there are rows, so that columns fall into different banks. */
const pitch = (shape: TileShape, operand: Operand): number => cellsAlong(shape, operand) + 1;
