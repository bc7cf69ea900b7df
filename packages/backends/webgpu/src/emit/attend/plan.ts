// Plans an attend program: which templates run, with which tiles, and what lies in memory between them.

import { asNode, reachable } from '@heed/expr';
import { type AttendProgram, dtypes, type Unsupported, workingDType } from '@heed/tensor';
import type { Machine } from '../machine.ts';
import type { Dispatch, Layout, Plan, Planner } from '../plan.ts';
import { product } from '../walk.ts';
import { planCheaper } from './cheaper.ts';
import { type Columns, Context, columnsOf } from './context.ts';
import { type DecodeOptions, emitChunks, emitMerge, foursOf, HEADER, MERGE_INVOCATIONS } from './decode.ts';
import { Axes, poolOf } from './formulas.ts';
import { areBounded, type Design } from './kernel.ts';
import {
  dimsOf,
  inFours,
  isInFours,
  numbersOf,
  type Operand,
  operandClass,
  operandsOf,
  scratch,
} from './operand.ts';
import { emitPrefill, type Outputs } from './prefill.ts';
import { Exchange } from './rows.ts';
import { invocationsOf, keysOf, rowsOf, type TileShape } from './shape.ts';
import type { Values } from './value.ts';
import { emitPooled, emitWeights, POOL_INVOCATIONS } from './weights.ts';

/** The lengths of a call. */
interface Lengths {
  readonly batches: number;
  readonly heads: number;
  readonly keyHeads: number;
  readonly queries: number;
  readonly keys: number;
}

/** Queries below which keys are split among workgroups. */
const FEW = 16;
/** Workgroup memory that a tile takes at most, so that several workgroups fit at once. */
const ENOUGH = 16384;

export const planAttend: Planner<AttendProgram> = (program, layouts, machine, sizes) => {
  const lengths = lengthsOf(sizes);
  const { batches, heads, queries, keys } = lengths;
  const { keep, normalizer } = program;
  const inputs = inFours(operandsOf(program, layouts));
  const value = inputs[program.value] as Operand;
  const dims = dimsOf(value, program.sizes);
  const width = product(dims);
  const split = queries < FEW && (normalizer.level.by === 'log-sum-exp' || normalizer.level.by === 'none');
  const shape = prefillShape(machine, width);
  const cheap = split || keys === 0 ? null : planCheaper(program, inputs, machine, sizes, shape);
  const operands = { ...inputs, ...cheap?.rows };
  const design: Design = {
    program,
    operands,
    axes: new Axes((name) => operands[name]?.along),
    cheaper: cheap?.cheaper ?? null,
    bounded: areBounded(sizes),
  };
  const values: Values = { operand: value, dims, width, aligned: value.fours === true && dims.length === 1 };
  const weights = keep.weights !== false;
  const rows = [batches, heads, queries];
  const rowCount = product(rows);
  const stats =
    weights && normalizer.level.by !== 'none' ? scratch('stats', ['batch', 'head', 'query'], rows, 2) : null;
  const context = outputOf('context', program, layouts, value);
  const outputs: Outputs = {
    context: { ...context, aligned: dims.length === 1 && isInFours(context.operand) },
    level: keep.level ? outputOf('level', program, layouts, value) : null,
    stats: stats && { operand: stats, dtype: 'float32' },
  };
  const computed = [
    ...Object.values(cheap?.rows ?? {}),
    ...(cheap?.cheaper.guards ?? []),
    ...(stats ? [stats] : []),
  ];
  const base = [
    ...Object.values(inputs),
    ...computed,
    context.operand,
    ...(outputs.level ? [outputs.level.operand] : []),
  ]
    .map(operandClass)
    .concat(String(values.aligned), String(outputs.context.aligned), String(design.bounded))
    .join(' ');
  const parts = { design, machine, values, outputs, lengths, base, shape, numbers: numbersOf(computed) };
  const main = rowCount === 0 ? nothing : split ? planDecode(parts) : planPrefill(parts);
  const more = rowCount * keys === 0 || !weights ? nothing : planWeights(parts, layouts, stats);
  return {
    dispatches: [
      ...(rowCount === 0 ? [] : (cheap?.dispatches ?? [])),
      ...main.dispatches,
      ...more.dispatches,
    ],
    scratch: {
      ...(cheap && rowCount > 0 ? { cheaper: Math.max(1, cheap.floats) * 4 } : {}),
      ...main.scratch,
      ...(stats && rowCount > 0 ? { stats: rowCount * 8 } : {}),
    },
    notes: [
      ...main.notes,
      ...more.notes,
      ...(cheap ? ['exponentials of rows ahead, where the guards hold'] : []),
    ],
    work: workOf(program, lengths, width, layouts),
  };
};

interface Parts {
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

type Part = Pick<Plan, 'dispatches' | 'scratch' | 'notes'>;
const nothing: Part = { dispatches: [], scratch: {}, notes: [] };

/** Bytes for what the invocations of a workgroup agree on: single words, each of which may take sixteen. */
const VOTES = 128;

/** Cells of workgroup memory that are left for rows and values. */
function stageCells(machine: Machine, shape: TileShape): number {
  const taken = Exchange.bytes(shape) + Context.weightBytes(shape) + VOTES;
  // Values that are joined pass through it, four floats an invocation.
  const least = (invocationsOf(shape) * 16) / (4 * shape.width);
  const room = Math.floor(
    (Math.min(machine.workgroupBytes, Math.max(ENOUGH, taken + 8192)) - taken) / (4 * shape.width),
  );
  return Math.max(least, room);
}

const describe = (shape: TileShape): string =>
  `tiles of ${rowsOf(shape)} queries by ${keysOf(shape)} keys, ${shape.group} by ${shape.width} an invocation, ` +
  `${invocationsOf(shape)} invocations`;

function planPrefill({ design, machine, values, outputs, lengths, shape, base, numbers }: Parts): Part {
  const columns = columnsOf(shape, values.width, 4);
  const cells = stageCells(machine, shape);
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
    notes: [`${describe(shape)}, through workgroup memory`, ...columnNotes(columns)],
  };
}

const columnNotes = ({ blocks, width }: Columns): string[] =>
  blocks === 1 ? [] : [`scores are computed ${blocks} times: a workgroup sums ${width} columns of values`];

/** Wide values want more invocations side by side. */
function prefillShape({ workgroupBytes }: Machine, width: number): TileShape {
  const narrow: TileShape = { down: 8, across: 8, group: 4, width: 4 };
  const wide: TileShape = { down: 8, across: 16, group: 4, width: 4 };
  const fits = Exchange.bytes(wide) + Context.weightBytes(wide) + 8192 <= workgroupBytes;
  return width > 128 && fits ? wide : narrow;
}

const shapeKey = ({ down, across, group, width }: TileShape): string => `${down}x${across}x${group}x${width}`;

function planDecode({ design, machine, values, outputs, lengths, base, numbers }: Parts): Part {
  const { batches, heads, keyHeads, queries, keys } = lengths;
  const packed = heads > keyHeads && heads % keyHeads === 0;
  const shared = packed ? heads / keyHeads : 1;
  let group = 1;
  while (group < queries * shared && group < 8) group *= 2;
  const shape: TileShape = { down: 1, across: 64, group, width: 1 };
  const columns = columnsOf(shape, values.width, Math.max(1, 8 / group));
  const cells = stageCells(machine, shape);
  const tiles = Math.ceil((queries * shared) / group);
  const matrices = batches * (packed ? keyHeads : heads) * tiles * columns.blocks;
  const most = Math.max(1, Math.ceil(WORKGROUPS / matrices));
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
      `few queries: keys in ${chunks} chunks of ${chunk}, merged in order; ${group} rows a workgroup` +
        (packed ? `, of the ${shared} heads that share a head of keys` : ''),
      ...columnNotes(columns),
    ],
  };
}

/** Workgroups that are enough to fill a device, and the fewest keys that are worth one. */
const WORKGROUPS = 512;
const LEAST_CHUNK = 256;

function planWeights(
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
  const cells = stageCells(machine, shape);
  const dispatch: Dispatch = {
    key: `weights ${shapeKey(shape)} ${cells} ${key}`,
    emit: () => emitWeights({ design, machine, output, stats, shape, stageCells: cells }),
    groups,
    numbers: { ...numbers, groups, tiles, across },
  };
  return { dispatches: [dispatch], scratch: {}, notes: ['weights by a dispatch that computes scores again'] };
}

const lengthsOf = (sizes: Readonly<Record<string, number>>): Lengths => ({
  batches: sizes.batches as number,
  heads: sizes.heads as number,
  keyHeads: sizes.keyHeads as number,
  queries: sizes.queryLength as number,
  keys: sizes.keyLength as number,
});

function outputOf(
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

/** Operations for each pair, by the nodes of its formulas, and the bytes of everything that is read and written once. */
function workOf(
  program: AttendProgram,
  { batches, heads, queries, keys }: Lengths,
  width: number,
  layouts: Readonly<Record<string, Layout>>,
): Plan['work'] {
  const { score, mask, reweight, normalizer, inputs, sizes, dtype } = program;
  let pair = 2 * width;
  for (const node of reachable([score, mask, reweight, normalizer.weight].map(asNode))) {
    if (node.op === 'input' || node.op === 'const') continue;
    const dims = new Set(node.args.flatMap((arg) => arg.type.dims));
    pair += [...dims].reduce((all, dim) => all * (sizes[dim] ?? 1), 1);
  }
  const bytes = Object.entries(layouts).reduce((sum, [name, { shape }]) => {
    const stored = inputs[name]?.dtype ?? (name === 'out:level' ? workingDType(dtype) : dtype);
    return sum + product(shape) * dtypes[stored].bytes;
  }, 0);
  return { operations: batches * heads * queries * keys * pair, bytes };
}

/** Whether a program runs here, and if not why. */
export function supportsAttend({ inputs }: AttendProgram): true | Unsupported {
  for (const [name, { type, dtype }] of Object.entries(inputs)) {
    if (dtypes[dtype].element !== type.element) {
      return {
        reason: `the webgpu backend reads "${name}" as what it is stored as (${dtype}), not as ${type.element}.`,
      };
    }
  }
  return true;
}
