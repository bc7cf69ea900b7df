// Plans an attend program: which templates run, with which tiles, and what lies in memory between them.

import type { Expr } from '@heed/expr';
import { type AttendProgram, dtypes, type Unsupported, workingDType } from '@heed/tensor';
import { describeMatrix } from '../matrices.ts';
import type { Layout, Plan, Planner } from '../plan.ts';
import { product } from '../walk.ts';
import { operationsOf } from '../work.ts';
import { planCheaper } from './cheaper.ts';
import { Axes, isLiteral, readsOf } from './formulas.ts';
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
import { type Bindings, pack } from './pack.ts';
import type { Outputs } from './prefill.ts';
import { productIn } from './product.ts';
import {
  type Lengths,
  nothing,
  outputOf,
  planDecode,
  planPrefill,
  planProduct,
  planWeights,
  prefillShape,
} from './templates.ts';
import type { Values } from './value.ts';

/** Queries for which keys are split among workgroups in any case, and those for which they are where the device would else be idle. */
const FEW = 8;
const SOME = 32;

export const planAttend: Planner<AttendProgram> = (program, layouts, machine, sizes) => {
  const lengths = lengthsOf(sizes);
  const { batches, heads, queries, keys } = lengths;
  const { keep, normalizer } = program;
  const mergeable = normalizer.level.by === 'log-sum-exp' || normalizer.level.by === 'none';
  // Tiles of the keys that are split have no guards.
  const idle = queries <= SOME && !program.cheaper && 2 * batches * heads <= machine.busy;
  const split = mergeable && (queries <= FEW || idle);
  const packing = pack(inFours(operandsOf(program, layouts)), bindingsOf(program, split), machine);
  const inputs = packing.operands;
  const value = inputs[program.value] as Operand;
  const dims = dimsOf(value, program.sizes);
  const width = product(dims);
  const found =
    split || keys === 0 || program.cheaper || machine.matrices.length === 0
      ? null
      : productIn(program.score, inputs);
  const shape = prefillShape(machine, width, lengths, found !== null);
  const rowProduct = found && planProduct(found, machine, shape);
  const cheap = split || keys === 0 ? null : planCheaper(program, inputs, machine, sizes, shape);
  const operands = { ...inputs, ...cheap?.rows };
  const design: Design = {
    program,
    operands,
    axes: new Axes((name) => operands[name]?.along),
    cheaper: cheap?.cheaper ?? null,
    product: rowProduct,
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
    ...Object.values(inputs),
    ...Object.values(cheap?.rows ?? {}),
    ...(cheap?.cheaper.guards ?? []),
    ...(stats ? [stats] : []),
  ];
  const base = [...computed, context.operand, ...(outputs.level ? [outputs.level.operand] : [])]
    .map(operandClass)
    .concat(String(values.aligned), String(outputs.context.aligned), String(design.bounded))
    .concat(rowProduct ? `${describeMatrix(rowProduct.tiling)} ${rowProduct.step}` : [])
    .join(' ');
  const parts = { design, machine, values, outputs, lengths, base, shape, numbers: numbersOf(computed) };
  const main = rowCount === 0 ? nothing : split ? planDecode(parts) : planPrefill(parts);
  const more = rowCount * keys === 0 || !weights ? nothing : planWeights(parts, layouts, stats);
  return {
    dispatches: [
      ...(rowCount === 0 ? [] : [...packing.dispatches, ...(cheap?.dispatches ?? [])]),
      ...main.dispatches,
      ...more.dispatches,
    ],
    scratch: {
      ...packing.scratch,
      ...(cheap && rowCount > 0 ? { cheaper: Math.max(1, cheap.floats) * 4 } : {}),
      ...main.scratch,
      ...(stats && rowCount > 0 ? { stats: rowCount * 8 } : {}),
    },
    notes: [
      ...main.notes,
      ...more.notes,
      ...(queries <= FEW && !split
        ? [`few queries, but a level by ${normalizer.level.by} takes all keys of a row in one workgroup`]
        : []),
      ...(isLiteral(program.mask, 1) || !design.bounded
        ? []
        : ['tiles in which the mask surely allows nothing are skipped']),
      ...(cheap ? ['exponentials of rows ahead, where the guards hold'] : []),
      ...packing.notes,
    ],
    work: workOf(program, lengths, width, layouts),
  };
};

/** What the shaders of a program bind. */
function bindingsOf(program: AttendProgram, split: boolean): Bindings[] {
  const { score, mask, reweight, normalizer, cheaper, keep, value } = program;
  const { weight, level, sink } = normalizer;
  const solved = level.by !== 'none';
  const rows = readsOf(...(sink ? [sink] : []), ...(level.by === 'root' ? [level.low, level.high] : []));
  const cheap = split ? null : cheaper;
  const pairs = readsOf(score, mask, reweight, weight, ...(cheap ? [cheap.roots.score as Expr] : []));
  const stats = solved && keep.weights !== false ? 1 : 0;
  const results = 1 + (keep.level ? 1 : 0) + stats;
  const ahead = cheap ? 1 : 0;
  return [
    ...(cheap?.rows ?? []).map(({ body }) => ({ reads: readsOf(body), others: 1 })),
    ...(split
      ? [
          { reads: new Set([...pairs, value]), others: 1 },
          { reads: rows, others: 1 + results },
        ]
      : [{ reads: new Set([...pairs, ...rows, value]), others: ahead + results }]),
    ...(keep.weights === false ? [] : [{ reads: pairs, others: ahead + stats + 1 }]),
  ];
}

const lengthsOf = (sizes: Readonly<Record<string, number>>): Lengths => ({
  batches: sizes.batches as number,
  heads: sizes.heads as number,
  keyHeads: sizes.keyHeads as number,
  queries: sizes.queryLength as number,
  keys: sizes.keyLength as number,
});

/** Operations for each pair, by the nodes of its formulas, and the bytes of everything that is read and written once. */
function workOf(
  program: AttendProgram,
  { batches, heads, queries, keys }: Lengths,
  width: number,
  layouts: Readonly<Record<string, Layout>>,
): Plan['work'] {
  const { score, mask, reweight, normalizer, inputs, sizes, dtype } = program;
  const pair = 2 * width + operationsOf([score, mask, reweight, normalizer.weight], sizes);
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
