// How a call of a gradient is shared out: over batches and heads of keys, and over blocks of queries where these are few.

import { asNode, type Expr, reachable } from '@heed/expr';
import type { AttendGradientProgram, Unsupported } from '@heed/tensor';
import { axisNames, lengthNames } from '../attend/formula.ts';
import type { AttendShape } from '../attend/layout.ts';
import { shapeOf, supportsAttend } from '../attend/plan.ts';
import { byteStrides, type Layout } from '../geometry.ts';
import type { Machine } from '../machine.ts';
import type { Gathered, Plan, Planner } from '../plan.ts';
import { entriesOf } from './design.ts';
import { emitGradient, type Prepared, prepareGradient, scratchOf } from './kernel.ts';
import { othersOf } from './layout.ts';
import { copiesOf, type Lengths, sharesOf, spread } from './shares.ts';

/** Makes a gradient ready to be planned. */
export const prepareAttendGradient = (program: AttendGradientProgram): Planner<AttendGradientProgram> => {
  const prepared = prepareGradient(program);
  return (_program, layouts, machine, sizes) => planCall(prepared, layouts, machine, sizes);
};

function planCall(
  prepared: Prepared,
  layouts: Readonly<Record<string, Layout>>,
  machine: Machine,
  sizes: Readonly<Record<string, number>>,
): Plan {
  const { gradient, design, tiling } = prepared;
  const { of } = gradient.program;
  const lengths = Object.fromEntries(axisNames.map((axis) => [axis, sizes[lengthNames[axis]]])) as Lengths;
  const shapeIn = (name: string): readonly number[] => (layouts[name] as Layout).shape;
  const shares = sharesOf(gradient.targets, shapeIn, lengths, machine.threads);
  const { batches, keyHeads, chunks } = shares;
  const known = shapeOf(design, layouts, lengths.query);
  const steps = { ...known.steps };
  for (const name of tiling?.rows ?? []) {
    const { strides, shape } = layouts[name] as Layout;
    // Where features lie side by side rows are copied four numbers at a time.
    if ((shape.at(-1) as number) <= 1 || strides.at(-1) === 1) steps[`${name}:features`] = 'unit';
  }
  const shape: AttendShape = { direct: known.direct, steps, few: false, share: 'all' };
  const strides: Record<string, readonly number[]> = {};
  const { batch, keyHead, head, query, key } = lengths;
  const numbers: Record<string, number> = {
    chunks,
    keyHeadUnits: keyHeads,
    batchSpan: batches === 0 ? 0 : batch / batches,
    keyHeadSpan: keyHeads === 0 ? 0 : keyHead / keyHeads,
  };
  for (const axis of axisNames) numbers[lengthNames[axis]] = lengths[axis];
  for (const [name, { along, type }] of Object.entries(of.inputs)) {
    const layout = layouts[name] as Layout;
    strides[name] = spread(byteStrides(layout), along);
    for (let i = 0; i < type.lookups; i++)
      numbers[`size:${name}:${i}`] = layout.shape[along.length + i] as number;
  }
  for (const name of othersOf(gradient)) {
    const along = name.endsWith('weights')
      ? (['batch', 'head', 'query', 'key'] as const)
      : (['batch', 'head', 'query'] as const);
    strides[name] = spread(byteStrides(layouts[name] as Layout), along);
  }
  const gathered: Record<string, Gathered> = {};
  for (const target of gradient.targets) {
    const place = copiesOf(target, shapeIn(target.name), shares);
    strides[target.gathered] = place.strides;
    numbers[`chunk:${target.gathered}`] = place.chunk;
    gathered[target.gathered] = { result: target.name, copies: place.copies };
  }
  const units = batches * keyHeads * chunks;
  return {
    key: JSON.stringify(shape),
    emit: (on, checked) => emitGradient(prepared, shape, on, checked),
    sizes: [],
    strides,
    numbers,
    units,
    weight: Math.ceil((batch * head * query * key * (gradient.width + 1)) / Math.max(1, units)),
    scratch: scratchOf(prepared, shape, machine),
    note: `lanes along queries, in ${units} ${units === 1 ? 'unit' : 'units'}`,
    gathered,
  };
}

/** Whether a gradient runs here: what its attention needs, and partials that are values or entries of tables. */
export function supportsAttendGradient({ of, partials }: AttendGradientProgram): true | Unsupported {
  const supported = supportsAttend(of);
  if (supported !== true) return supported;
  const roots = Object.values(partials).flatMap((stages) => Object.values(stages) as (Expr | null)[]);
  for (const root of roots) {
    if (!root) continue;
    for (const node of reachable(entriesOf(asNode(root)).flat())) {
      if (node.op === 'entry' || (node.op === 'at' && node.args[0]?.op !== 'input'))
        return {
          reason: 'the cpu backend looks up tables that are inputs; a derivative makes one and reads it.',
        };
    }
  }
  return true;
}
