// The templates that an attend program runs by: their tiles, dispatches and notes.

import { type AttendProgram, workingDType } from '@heed/tensor';
import type { Machine } from '../machine.ts';
import { describeMatrix } from '../matrices.ts';
import type { Dispatch, Layout, Plan } from '../plan.ts';
import { type Columns, Context, columnsOf } from './context.ts';
import { type DecodeOptions, emitChunks, emitMerge, foursOf, HEADER, MERGE_INVOCATIONS } from './decode.ts';
import { poolOf } from './formulas.ts';
import type { Design } from './kernel.ts';
import { numbersOf, type Operand, operandClass, scratch } from './operand.ts';
import { emitPrefill, type Outputs } from './prefill.ts';
import { designProduct, type ProductDesign, type RowProduct } from './product.ts';
import { Exchange } from './rows.ts';
import { invocationsOf, keysOf, rowsOf, type TileShape } from './shape.ts';
import { lanesOf } from './subgroup.ts';
import type { Values } from './value.ts';
import { emitPooled, emitWeights, POOL_INVOCATIONS } from './weights.ts';

/** The lengths of a call. */
export interface Lengths {
  readonly batches: number;
  readonly heads: number;
  readonly keyHeads: number;
  readonly queries: number;
  readonly keys: number;
}

/** Workgroup memory that a tile takes at most, so that several workgroups fit at once. */
const ENOUGH = 16384;

/** What the templates of one plan have in common. */
export interface Parts {
  readonly design: Design;
  readonly machine: Machine;
  readonly values: Values;
  readonly outputs: Outputs;
  readonly lengths: Lengths;
  /** The tiles of kernels over many queries. */
  readonly shape: TileShape;
  /** What distinguishes shaders by layouts. */
  readonly base: string;
  readonly numbers: Readonly<Record<string, number>>;
}

export type Part = Pick<Plan, 'dispatches' | 'scratch' | 'notes'>;
export const nothing: Part = { dispatches: [], scratch: {}, notes: [] };

/** Bytes for what the invocations of a workgroup agree on: single words, each of which may take sixteen. */
const VOTES = 128;

const takenBytes = (shape: TileShape): number => Exchange.bytes(shape) + Context.weightBytes(shape) + VOTES;
// Values that are joined pass through it, four floats an invocation.
const leastCells = (shape: TileShape): number => (invocationsOf(shape) * 16) / (4 * shape.width);

/** Cells of workgroup memory that are left for rows and values, besides what a product of rows takes. */
function stageCells(machine: Machine, shape: TileShape, product: ProductDesign | null): number {
  const taken = takenBytes(shape);
  const free = machine.workgroupBytes - (product?.bytes ?? 0);
  const room = Math.floor((Math.min(free, Math.max(ENOUGH, taken + 8192)) - taken) / (4 * shape.width));
  return Math.max(leastCells(shape), room);
}

/** The product of a score's rows by subgroup matrices, where workgroup memory has room for it beside all else. */
export function planProduct(found: RowProduct, machine: Machine, shape: TileShape): ProductDesign | null {
  const taken = takenBytes(shape) + leastCells(shape) * 4 * shape.width;
  return designProduct(found, machine, shape, machine.workgroupBytes - taken);
}

const describe = (shape: TileShape): string =>
  `tiles of ${rowsOf(shape)} queries by ${keysOf(shape)} keys, ${shape.group} by ${shape.width} an invocation, ` +
  `${invocationsOf(shape)} invocations`;

const exchangeNote = (machine: Machine, { across }: TileShape): string[] =>
  machine.subgroups && machine.subgroups.min >= lanesOf(across)
    ? [`maxima and sums of rows by subgroups of at least ${lanesOf(across)}`]
    : ['maxima and sums of rows through workgroup memory'];

export function planPrefill({
  design,
  machine,
  values,
  outputs,
  lengths,
  shape,
  base,
  numbers,
}: Parts): Part {
  const columns = columnsOf(shape, values.width, 4);
  const cells = stageCells(machine, shape, design.product);
  const tiles = Math.ceil(lengths.queries / rowsOf(shape));
  const groups = lengths.batches * lengths.heads * tiles * columns.blocks;
  return {
    dispatches: [
      {
        key: `prefill ${shapeKey(shape)} ${cells} ${base}`,
        emit: () => emitPrefill({ design, machine, shape, stageCells: cells, columns, values, outputs }),
        groups,
        numbers: { ...numbers, groups, tiles },
      },
    ],
    scratch: {},
    notes: [
      describe(shape),
      ...exchangeNote(machine, shape),
      ...columnNotes(columns),
      ...(design.product ? [`products of ${productNote(design.product)}`] : []),
    ],
  };
}

const productNote = ({ query, key, tiling }: ProductDesign): string =>
  `"${query.name}" and "${key.name}" by ${describeMatrix(tiling)}`;

const columnNotes = ({ blocks, width }: Columns): string[] =>
  blocks === 1 ? [] : [`scores are computed ${blocks} times: a workgroup sums ${width} columns of values`];

/**
 * Wide values want more invocations side by side, and `matrices` at least a subgroup of them; where there are rows enough to
 * keep the device busy, an invocation takes more of them, for what it loads of keys and values then serves as many more.
 */
export function prefillShape(
  { workgroupBytes, subgroups, busy }: Machine,
  width: number,
  { batches, heads, queries }: Pick<Lengths, 'batches' | 'heads' | 'queries'>,
  matrices: boolean,
): TileShape {
  const narrow: TileShape = { down: 8, across: 8, group: 4, width: 4 };
  const wide: TileShape = { down: 8, across: 16, group: 4, width: 4 };
  const tall: TileShape = { down: 8, across: 8, group: 8, width: 4 };
  const fits = (shape: TileShape): boolean =>
    Exchange.bytes(shape) + Context.weightBytes(shape) + 8192 <= workgroupBytes;
  const whole = matrices && subgroups !== null && subgroups.max > invocationsOf(narrow);
  if (width > 128 || whole) return fits(wide) ? wide : narrow;
  // Columns in registers: eight rows of more than these would not stay there.
  const many = !matrices && width <= 64 && batches * heads * Math.ceil(queries / rowsOf(tall)) >= busy;
  return many && fits(tall) ? tall : narrow;
}

const shapeKey = ({ down, across, group, width }: TileShape): string => `${down}x${across}x${group}x${width}`;

/** As many keys side by side as there are rows to spare: loading them is what takes time here. */
function decodeShape(rows: number): TileShape {
  if (rows > 8) return { down: 8, across: 8, group: 4, width: 4 };
  if (rows > 4) return { down: 2, across: 32, group: 4, width: 4 };
  return { down: 1, across: 64, group: rows > 2 ? 4 : rows > 1 ? 2 : 1, width: 4 };
}

export function planDecode({ design, machine, values, outputs, lengths, base, numbers }: Parts): Part {
  const { batches, heads, keyHeads, queries, keys } = lengths;
  const packed = heads > keyHeads && heads % keyHeads === 0;
  const shared = packed ? heads / keyHeads : 1;
  const shape = decodeShape(queries * shared);
  const columns = columnsOf(shape, values.width, 4);
  const cells = stageCells(machine, shape, null);
  const tiles = Math.ceil((queries * shared) / rowsOf(shape));
  const matrices = batches * (packed ? keyHeads : heads) * tiles * columns.blocks;
  const most = Math.max(1, Math.ceil(machine.busy / matrices));
  const wanted = Math.max(1, Math.min(most, Math.ceil(keys / LEAST_CHUNK)));
  const chunk = Math.max(keysOf(shape), Math.ceil(keys / wanted / keysOf(shape)) * keysOf(shape));
  const chunks = Math.max(1, Math.ceil(keys / chunk));
  const record = HEADER + Math.ceil(values.width / 4) * 4;
  const partial = scratch('partial', ['query', 'key'], [batches * heads * queries, chunks], record);
  const decode: DecodeOptions = {
    design,
    machine,
    shape,
    stageCells: cells,
    columns,
    values,
    packed,
    partial,
  };
  const groups = matrices * chunks;
  const fours = batches * heads * queries * foursOf(values);
  const own = { ...numbers, ...numbersOf([partial]), chunks };
  return {
    dispatches: [
      {
        key: `chunks ${shapeKey(shape)} ${packed} ${cells} ${base} ${operandClass(partial)}`,
        emit: () => emitChunks(decode),
        groups,
        numbers: { ...own, groups, tiles, chunk },
      },
      {
        key: `merge ${base} ${operandClass(partial)}`,
        emit: () => emitMerge({ design, machine, values, partial, outputs }),
        groups: Math.ceil(fours / MERGE_INVOCATIONS),
        numbers: { ...own, fours },
      },
    ],
    scratch: { partial: batches * heads * queries * chunks * record * 4 },
    notes: [
      `few queries: keys in ${chunks} chunks of ${chunk}, merged in order; ${rowsOf(shape)} rows a workgroup` +
        (packed ? `, of the ${shared} heads that share a head of keys` : ''),
      ...exchangeNote(machine, shape),
      ...columnNotes(columns),
    ],
  };
}

/** The fewest keys that are worth a workgroup. */
const LEAST_CHUNK = 256;

export function planWeights(
  { design, machine, lengths, values, shape, base, numbers }: Parts,
  layouts: Readonly<Record<string, Layout>>,
  stats: Operand | null,
): Part {
  const { program } = design;
  const { batches, heads, queries, keys } = lengths;
  const output = outputOf('weights', program, layouts, values.operand);
  const key = `${base} ${operandClass(output.operand)}`;
  if (typeof program.keep.weights === 'object') {
    const pool = poolOf(program);
    const [across, down] = [Math.ceil(keys / pool), Math.ceil(queries / pool)];
    const cells = batches * heads * down * across;
    const dispatch: Dispatch = {
      key: `pooled ${key}`,
      emit: () => emitPooled({ design, machine, output, stats, pool }),
      groups: Math.ceil(cells / POOL_INVOCATIONS),
      numbers: { ...numbers, cells, across, down },
    };
    return {
      dispatches: [dispatch],
      scratch: {},
      notes: ['pooled weights by a dispatch that computes scores again'],
    };
  }
  const tiles = Math.ceil(queries / rowsOf(shape));
  const across = Math.ceil(keys / keysOf(shape));
  const groups = batches * heads * tiles * across;
  const cells = stageCells(machine, shape, design.product);
  const dispatch: Dispatch = {
    key: `weights ${shapeKey(shape)} ${cells} ${key}`,
    emit: () => emitWeights({ design, machine, output, stats, shape, stageCells: cells }),
    groups,
    numbers: { ...numbers, groups, tiles, across },
  };
  return { dispatches: [dispatch], scratch: {}, notes: ['weights by a dispatch that computes scores again'] };
}

/** A result as an operand that is written. */
export function outputOf(
  name: 'context' | 'level' | 'weights',
  program: AttendProgram,
  layouts: Readonly<Record<string, Layout>>,
  value: Operand,
): { readonly operand: Operand; readonly dtype: AttendProgram['dtype'] } {
  const tensor = `out:${name}`;
  const dtype = name === 'level' ? workingDType(program.dtype) : program.dtype;
  const type = { element: 'float', dims: name === 'context' ? value.type.dims : [], lookups: 0 } as const;
  const along = ['batch', 'head', 'query', ...(name === 'weights' ? ['key'] : [])] as Operand['along'];
  return {
    operand: { name: tensor, tensor, type, dtype, along, layout: layouts[tensor] as Layout, computed: false },
    dtype,
  };
}
