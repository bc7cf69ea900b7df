// Subgroups in place of workgroup memory and its barriers.

import type { ShaderWriter } from '../shader.ts';
import type { TileShape } from './shape.ts';

/** A subgroup as an invocation sees it. */
export interface Subgroup {
  /** How many neighbouring invocations exchange through it. */
  readonly lanes: number;
  /** A bool, the same in the whole workgroup: whether neighbours by index are neighbours in the subgroup. */
  readonly linear: string;
}

/** Invocations side by side that exchange through a subgroup, at most. */
const MOST_LANES = 8;

/** How many of the invocations that share rows exchange through a subgroup. */
export const lanesOf = (across: number): number => Math.min(MOST_LANES, across);

/**
 * Asks each invocation whether its neighbours by index are its neighbours in the subgroup, which WGSL does not promise, and
 * gives the answer of all.
 */
export function subgroupOf(shader: ShaderWriter, { across }: TileShape): Subgroup | null {
  const { machine, code } = shader;
  const lanes = lanesOf(across);
  if (!machine.subgroups || machine.subgroups.min < lanes) return null;
  shader.enable('subgroups');
  const apart = shader.workgroup('apart', 'atomic<u32>', 1);
  const agreed = shader.workgroup('agreed', 'u32', 1);
  const steps = [1, 2, 4].filter((step) => step < lanes);
  const near = steps.map((step) => `subgroupShuffleXor(lid, ${step}u) == (lid ^ ${step})`);
  const own = near.map((test) => code.let('near', test));
  code.if('lid == 0', () => code.line(`atomicStore(&${apart}[0], 0u);`));
  code.barrier();
  code.if(`!(${own.join(' && ')})`, () => code.line(`atomicStore(&${apart}[0], 1u);`));
  code.barrier();
  code.if('lid == 0', () => code.set(`${agreed}[0]`, `atomicLoad(&${apart}[0])`));
  return { lanes, linear: code.let('linear', `workgroupUniformLoad(&${agreed}[0]) == 0u`) };
}
