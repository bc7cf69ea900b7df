// Which planner serves each kind of program, and why some cannot run here.

import { asNode, reachable } from '@heed/expr';
import { type Program, type ProgramKind, type ProgramOf, signatures, type Unsupported } from '@heed/tensor';
import { planAttend, supportsAttend } from '../emit/attend/plan.ts';
import { supportsAttendGradient } from '../emit/attend-gradient/design.ts';
import { planAttendGradient } from '../emit/attend-gradient/plan.ts';
import { planGather } from '../emit/gather.ts';
import { planMap } from '../emit/map.ts';
import { planMatmul } from '../emit/matmul.ts';
import type { Planner } from '../emit/plan.ts';
import { planReduce } from '../emit/reduce.ts';
import { planRow } from '../emit/row.ts';
import { planScatterAdd } from '../emit/scatter-add.ts';

interface Planned<P extends Program> {
  readonly plan: Planner<P>;
  /** Why a program of this kind cannot run here, where not every one can. */
  readonly supports?: (program: P) => true | Unsupported;
}

/** Every kind that this backend runs. */
export const planners: { readonly [K in ProgramKind]?: Planned<ProgramOf<K>> } = {
  map: { plan: planMap },
  reduce: { plan: planReduce },
  row: { plan: planRow },
  matmul: { plan: planMatmul },
  gather: { plan: planGather },
  'scatter-add': { plan: planScatterAdd },
  attend: { plan: planAttend, supports: supportsAttend },
  'attend-gradient': { plan: planAttendGradient, supports: supportsAttendGradient },
};

/** Formulas of these kinds may give tables, entry by entry. */
const givesTables: readonly ProgramKind[] = ['attend', 'attend-gradient'];

/** Whether a program runs here. @throws BackendError for one that contradicts itself. */
export function supports(program: Program): true | Unsupported {
  const planned = planners[program.kind] as Planned<Program> | undefined;
  if (!planned) {
    return {
      reason: `the webgpu backend has no shaders for programs of kind "${program.kind}" yet; the reference backend runs them.`,
    };
  }
  const { inputs, outputs, formulas } = signatures[program.kind](program as never, 'webgpu');
  if ([...Object.values(inputs), ...Object.values(outputs)].includes('float64')) {
    return {
      reason: 'the webgpu backend computes in float32 and stores no float64; the reference backend does.',
    };
  }
  if (!givesTables.includes(program.kind)) {
    for (const node of reachable(formulas.map(({ root }) => asNode(root)))) {
      if (node.op === 'entry')
        return { reason: 'a formula of this kind of program cannot give a table (entry).' };
    }
  }
  return planned.supports?.(program) ?? true;
}
