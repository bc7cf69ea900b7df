// Which planner serves each kind of program, and why some cannot run here.

import { asNode, type Expr, reachable } from '@heed/expr';
import type { DType, Program, ProgramKind, ProgramOf, Unsupported } from '@heed/tensor';
import { prepareAttend, supportsAttend } from '../emit/attend/plan.ts';
import { prepareAttendGradient, supportsAttendGradient } from '../emit/attend-gradient/plan.ts';
import { planGather } from '../emit/gather.ts';
import { planMap } from '../emit/map.ts';
import { planMatmul } from '../emit/matmul.ts';
import type { Planner } from '../emit/plan.ts';
import { planReduce } from '../emit/reduce.ts';
import { planRow } from '../emit/row.ts';
import { planScatterAdd } from '../emit/scatter-add.ts';

export type PlannedKind = ProgramKind;

/** Every kind that this backend runs: what is made of a program alone is made once, and plans its calls. */
export const planners: { readonly [K in PlannedKind]: (program: ProgramOf<K>) => Planner<ProgramOf<K>> } = {
  map: () => planMap,
  reduce: () => planReduce,
  row: () => planRow,
  matmul: () => planMatmul,
  gather: () => planGather,
  'scatter-add': () => planScatterAdd,
  attend: prepareAttend,
  'attend-gradient': prepareAttendGradient,
};

interface Content {
  readonly dtypes: readonly DType[];
  readonly roots: readonly Expr[];
}

/** What a program stores and computes. */
const contents: { readonly [K in PlannedKind]: (program: ProgramOf<K>) => Content } = {
  map: ({ inputs, results }) => ({
    dtypes: [...Object.values(inputs), ...Object.values(results).map(({ dtype }) => dtype)],
    roots: Object.values(results).map(({ body }) => body),
  }),
  reduce: ({ inputs, dtype, body, finish }) => ({
    dtypes: [...Object.values(inputs), dtype],
    roots: [body, finish],
  }),
  row: ({ inputs, reductions, results }) => ({
    dtypes: [...Object.values(inputs), ...Object.values(results).map(({ dtype }) => dtype)],
    roots: [...reductions.map(({ body }) => body), ...Object.values(results).map(({ body }) => body)],
  }),
  matmul: ({ a, b, inputs, dtype, epilogue }) => ({
    dtypes: [a, b, ...Object.values(inputs), dtype],
    roots: [epilogue],
  }),
  gather: ({ dtype }) => ({ dtypes: [dtype], roots: [] }),
  'scatter-add': ({ dtype }) => ({ dtypes: [dtype], roots: [] }),
  attend: ({ inputs, dtype }) => ({
    dtypes: [...Object.values(inputs).map((input) => input.dtype), dtype],
    roots: [],
  }),
  'attend-gradient': ({ of: { inputs, dtype } }) => ({
    dtypes: [...Object.values(inputs).map((input) => input.dtype), dtype],
    roots: [],
  }),
};

/** Whether a program runs here. */
export function supports(program: Program): true | Unsupported {
  if (!Object.hasOwn(planners, program.kind)) {
    return {
      reason: `the cpu backend has no kernels for programs of kind "${program.kind}" yet; the reference backend runs them.`,
    };
  }
  const { dtypes, roots } = contents[program.kind as PlannedKind](program as never);
  if (dtypes.includes('float64')) {
    return {
      reason: 'the cpu backend computes in float32 and stores no float64; the reference backend does.',
    };
  }
  if (program.kind === 'attend') return supportsAttend(program);
  if (program.kind === 'attend-gradient') return supportsAttendGradient(program);
  for (const node of reachable(roots.map(asNode))) {
    if (node.op === 'entry')
      return { reason: 'a formula of this kind of program cannot give a table (entry).' };
  }
  return true;
}
