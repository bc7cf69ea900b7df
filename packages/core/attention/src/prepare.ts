// Preparing: plans are made once for each class of shapes, with everything that a call then only has to run.

import { type AttendGradientProgram, type FloatDType, type WeightsRequest, workingDType } from '@heed/tensor';
import { type Ahead, makeReady } from './ahead.ts';
import type { Checked } from './check.ts';
import { differentiate } from './differentiate.ts';
import type { Uniforms } from './lower.ts';
import { places } from './place.ts';
import { type Plan, type Problem, plan } from './plan.ts';
import { remember } from './remember.ts';
import type { Spec } from './spec.ts';

/** A plan and what runs it. */
export interface Prepared {
  readonly plan: Plan;
  readonly ahead: readonly Ahead[];
  /** The gradient for a choice of inputs, made once. */
  readonly gradient: (
    wrt: readonly string[],
    upstream: AttendGradientProgram['upstream'],
  ) => AttendGradientProgram;
}

export type Preparer = (
  checked: Checked,
  keep: { readonly level: boolean; readonly weights: WeightsRequest },
  dtype: FloatDType,
) => Prepared;

const lengthNames = Object.entries(places).flatMap(([name, along]) => (along.length === 0 ? [name] : []));
const lengthUniforms: Uniforms = Object.fromEntries(lengthNames.map((name) => [name, 'int' as const]));

/** Keeps the plans of one spec. */
export function createPreparer(spec: Spec): Preparer {
  const known = new Map<string, Prepared>();
  return (checked, keep, dtype) => {
    const problem: Problem = {
      inputs: Object.fromEntries(Object.entries(checked.bound).map(([name, { input }]) => [name, input])),
      uniforms: Object.fromEntries(
        Object.entries(spec.uniforms).map(([name, { element }]) => [name, element]),
      ),
      sizes: checked.sizes,
      fewer: fewerRows(checked.lengths),
      keep,
      dtype,
    };
    return remember(known, JSON.stringify(problem), () => prepare(plan(spec, problem), problem));
  };
}

const fewerRows = ({ head, keyHead, query, key }: Checked['lengths']): 'query' | 'key' =>
  head * query < keyHead * key ? 'query' : 'key';

function prepare(made: Plan, problem: Problem): Prepared {
  const gradients = new Map<string, AttendGradientProgram>();
  const uniforms = { ...lengthUniforms, ...problem.uniforms };
  return {
    plan: made,
    ahead: makeReady(made.hoisted, problem.sizes, uniforms, workingDType(problem.dtype)),
    gradient: (wrt, upstream) =>
      remember(gradients, JSON.stringify([wrt, upstream]), () => differentiate(made.program, wrt, upstream)),
  };
}
