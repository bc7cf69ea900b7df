// Plans the gradient of an attention: the sums of rows first, then for each input a dispatch that sums what pairs give to it,
// and one that adds up where several workgroups did so.

import type { Expr } from '@heed/expr';
import { type AttendGradientProgram, type AttendInput, type DType, dtypes, workingDType } from '@heed/tensor';
import { planCheaper } from '../attend/cheaper.ts';
import { Axes, readsOf } from '../attend/formulas.ts';
import { areBounded, type Design } from '../attend/kernel.ts';
import {
  dimsOf,
  inFours,
  numbersOf,
  type Operand,
  operandClass,
  operandOf,
  operandsOf,
} from '../attend/operand.ts';
import type { Output } from '../attend/output.ts';
import { type Bindings, pack } from '../attend/pack.ts';
import { keysOf, rowsOf } from '../attend/shape.ts';
import type { Machine } from '../machine.ts';
import type { Dispatch, Layout, Planner } from '../plan.ts';
import { product } from '../walk.ts';
import { operationsOf } from '../work.ts';
import { CONTEXT, cheapened, type GradientDesign, gradientOf, SHAPE, type Target } from './design.ts';
import { elementsOf, sumElements } from './elements.ts';
import { planFold } from './fold.ts';
import { type Destination, emitTarget, type TargetOptions } from './frame.ts';
import { type Given, ROW_BYTES, ROWS } from './known-rows.ts';
import { columnsOf, sumProducts } from './product.ts';
import { emitRows } from './rows.ts';
import { sumTable } from './table.ts';

/** Bytes that sums of several workgroups may take. */
const BYTES = 2 ** 25;

type Sizes = Readonly<Record<string, number>>;

export const planAttendGradient: Planner<AttendGradientProgram> = (program, layouts, machine, sizes) => {
  const { of } = program;
  const given = givenOf(program, layouts);
  const cheapest = cheapened(program);
  const packing = pack(inFours(inputsOf(program, layouts)), bindingsOf(program, cheapest), machine);
  const rowCount = product([sizes.batches, sizes.heads, sizes.queryLength] as number[]);
  const cheap =
    rowCount * (sizes.keyLength as number) > 0
      ? planCheaper(cheapest.of, packing.operands, machine, sizes, SHAPE)
      : null;
  const operands: Record<string, Operand> = { ...packing.operands, ...cheap?.rows };
  const guards = cheap?.cheaper.guards ?? [];
  const design: Design = {
    program: of,
    operands,
    axes: new Axes((name) => operands[name]?.along),
    cheaper: of.cheaper && cheap ? cheap.cheaper : null,
    product: null,
    bounded: areBounded(sizes),
  };
  const gradient = gradientOf(program, design, cheap ? cheapest.partials : {}, guards);
  const places = numbersOf([...Object.values(operands), ...guards]);
  const classes = [
    ...Object.values(operands),
    ...Object.values(given).flatMap((one) => (one ? [one.operand] : [])),
  ]
    .map(operandClass)
    .join(' ')
    .concat(design.bounded ? '' : ' far');
  const tiles = Math.ceil((sizes.queryLength as number) / rowsOf(SHAPE));
  const pairs = (sizes.batches as number) * (sizes.heads as number);
  const dispatches: Dispatch[] = [...packing.dispatches, ...(cheap?.dispatches ?? [])];
  const scratch: Record<string, number> = { ...packing.scratch };
  const notes: string[] = [...packing.notes];
  // Shaders bind it even where there is no row.
  if (gradient.moving) scratch[ROWS] = Math.max(1, rowCount) * ROW_BYTES;
  if (gradient.moving && rowCount > 0) {
    dispatches.push({
      key: `rows ${classes}`,
      emit: () => emitRows(gradient, given, machine),
      groups: tiles * pairs,
      numbers: { groups: tiles * pairs, tiles, ...places },
    });
  }
  for (const target of gradient.targets) {
    const planned = planTarget({ gradient, given, target, layouts, machine, sizes, tiles, classes, places });
    dispatches.push(...planned.dispatches);
    Object.assign(scratch, planned.scratch);
    notes.push(planned.note);
  }
  if (cheap) scratch.cheaper = Math.max(1, cheap.floats) * 4;
  return {
    dispatches,
    scratch,
    notes,
    work: {
      operations: rowCount * (sizes.keyLength as number) * operationsOfPair(gradient),
      bytes: Object.entries(layouts).reduce(
        (all, [name, { shape }]) => all + product(shape) * bytesOf(program, name),
        0,
      ),
    },
  };
};

/** What the dispatches do for one pair: most of them compute its weight and how the loss changes with it again. */
function operationsOfPair({ program, design, targets, context, moving }: GradientDesign): number {
  const { of } = program;
  const weight = operationsOf([of.score, of.mask, of.reweight, of.normalizer.weight], of.sizes);
  const change = context ? 2 * product(dimsOf(design.operands[of.value] as Operand, of.sizes)) : 0;
  return targets.reduce(
    (all, { width, pair }) =>
      all + weight + (pair.some(({ stage }) => stage !== 'value') ? change : 0) + 2 * width,
    moving ? weight + change : 0,
  );
}

const bytesOf = ({ of }: AttendGradientProgram, name: string): number =>
  dtypes[(of.inputs[name.replace('out:', '')]?.dtype ?? of.dtype) as DType].bytes;

/** What is known of rows besides the inputs. */
function givenOf({ of, upstream }: AttendGradientProgram, layouts: Readonly<Record<string, Layout>>): Given {
  const output = (name: string, dtype: DType, along: Operand['along']): Output => {
    const type = { element: 'float', dims: [], lookups: 0 } as const;
    return { operand: operandOf(name, { type, dtype, along }, layouts[name] as Layout), dtype };
  };
  const row = ['batch', 'head', 'query'] as const;
  return {
    level: of.normalizer.level.by !== 'none' ? output('level', workingDType(of.dtype), row) : null,
    weights: upstream.weights ? output('grad$weights', of.dtype, [...row, 'key']) : null,
    levelGradient: upstream.level ? output('grad$level', workingDType(of.dtype), row) : null,
  };
}

/** What pairs are computed from: the inputs of the attention, and the gradient of its context. */
function inputsOf(
  { of, upstream }: AttendGradientProgram,
  layouts: Readonly<Record<string, Layout>>,
): Record<string, Operand> {
  const inputs = operandsOf(of, layouts);
  if (!upstream.context) return inputs;
  const { type } = of.inputs[of.value] as AttendInput;
  const context = { type, dtype: of.dtype, along: ['batch', 'head', 'query'] } as const;
  return { ...inputs, [CONTEXT]: operandOf(CONTEXT, context, layouts[CONTEXT] as Layout) };
}

/** What the shaders of a gradient bind. */
function bindingsOf(
  { of, wrt, upstream, partials, weightByScore, weightByLevel }: AttendGradientProgram,
  { of: { cheaper }, partials: cheapPartials }: ReturnType<typeof cheapened>,
): Bindings[] {
  const { score, mask, reweight, normalizer, value } = of;
  const { weight, sink } = normalizer;
  const reads = (...more: readonly (Expr | null | undefined)[]): Set<string> => {
    const roots = [score, mask, reweight, weight, weightByScore, weightByLevel, sink, cheaper?.roots.score];
    const all = [...roots, ...more].filter((one) => one !== null && one !== undefined);
    return new Set([...readsOf(...all), ...(upstream.context ? [value, CONTEXT] : [])]);
  };
  // Rows and guards of cheaper formulas, the gradient of weights, and what rows have: their sums, or the level.
  const common = (cheaper ? 1 : 0) + (upstream.weights ? 1 : 0) + 1;
  const { low, high } = normalizer.level.by === 'root' ? normalizer.level : { low: null, high: null };
  return [
    ...(cheaper?.rows ?? []).map(({ body }) => ({ reads: readsOf(body), others: 1 })),
    { reads: reads(low, high), others: common + (upstream.level ? 1 : 0) + 1 },
    ...wrt.map((name) => ({
      reads: reads(...Object.values(partials[name] ?? {}), cheapPartials[name]),
      others: common + 1,
    })),
  ];
}

interface Planning {
  readonly gradient: GradientDesign;
  readonly given: Given;
  readonly target: Target;
  readonly layouts: Readonly<Record<string, Layout>>;
  readonly machine: Machine;
  readonly sizes: Sizes;
  readonly tiles: number;
  readonly classes: string;
  /** The numbers of operands in memory that is not the call's. */
  readonly places: Readonly<Record<string, number>>;
}

interface Planned {
  readonly dispatches: readonly Dispatch[];
  readonly scratch: Readonly<Record<string, number>>;
  readonly note: string;
}

function planTarget(planning: Planning): Planned {
  const { gradient, given, target, layouts, machine, sizes, tiles, classes, places } = planning;
  const { name, operand, byQuery, width, sum } = target;
  const { along } = operand;
  const size = (of: string): number => sizes[of] as number;
  const layout = layouts[`out:${name}`] as Layout;
  const input = gradient.program.of.inputs[name] as AttendInput;
  const result = operandOf(`out:${name}`, input, layout);
  const total = product(layout.shape);
  if (total === 0) return { dispatches: [], scratch: {}, note: `${name}: empty` };
  if (target.pair.length + target.sink.length === 0)
    return {
      dispatches: [planFold(result, null, machine)],
      scratch: {},
      note: `${name}: nothing changes with it`,
    };

  const keyTiles = Math.ceil(size('keyLength') / keysOf(SHAPE));
  const group = size('keyHeads') === 0 ? 0 : Math.floor(size('heads') / size('keyHeads'));
  const heads = along.includes('head') ? 1 : along.includes('keyHead') ? group : size('heads');
  const units = (along.includes('batch') ? 1 : size('batches')) * heads * (byQuery ? 1 : tiles);
  const owners = along.reduce(
    (all, axis) =>
      all *
      { batch: size('batches'), head: size('heads'), keyHead: size('keyHeads'), query: tiles, key: keyTiles }[
        axis
      ],
    1,
  );
  const block =
    sum.by === 'product' ? columnsOf(width) : sum.by === 'table' ? Math.max(1, width) : elementsOf(target);
  const blocks = Math.ceil(width / block);
  const most = Math.max(1, Math.floor(Math.min(BYTES, machine.bindingBytes) / (4 * total)));
  const wanted = Math.ceil(machine.busy / Math.max(1, owners * blocks));
  const chunks = Math.max(1, Math.min(wanted, most, units));
  const parted = chunks > 1 || sum.by === 'table';
  const memory = `parts$${name}`;
  const destination: Destination = {
    parted,
    operand: parted
      ? {
          ...result,
          name: memory,
          tensor: `scratch:${memory}`,
          dtype: 'float32',
          computed: true,
          layout: {
            shape: layout.shape,
            strides: layout.shape.map((_, i) => product(layout.shape.slice(i + 1))),
            offset: 0,
          },
        }
      : result,
  };
  const options: TargetOptions = { gradient, given, target, destination, blocks, block, machine };
  const groups = owners * blocks * chunks;
  const dispatch: Dispatch = {
    key: `${name} ${sum.by} ${parted ? 'parts ' : ''}${operandClass(destination.operand)} ${classes}`,
    emit: () =>
      emitTarget(options, (frame) =>
        sum.by === 'product'
          ? sumProducts(frame, sum.terms)
          : sum.by === 'table'
            ? sumTable(frame)
            : sumElements(frame),
      ),
    groups,
    numbers: {
      groups,
      tiles,
      keyTiles,
      group,
      units,
      chunks,
      total,
      ...places,
      ...(parted ? numbersOf([destination.operand]) : {}),
    },
  };
  return {
    dispatches: parted
      ? [dispatch, planFold(result, { tensor: `scratch:${memory}`, chunks }, machine)]
      : [dispatch],
    scratch: parted ? { [memory]: chunks * total * 4 } : {},
    note: `${name}: summed by ${sum.by}${chunks > 1 ? `, in ${chunks} parts` : ''}`,
  };
}
