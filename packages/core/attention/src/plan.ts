// The plan: a spec made concrete for one class of shapes. What each row needs is computed once, ahead; the rest is one
// fused program. Pure: no tensors, no device.

import {
  cheapen,
  type Expr,
  type Hoisted,
  input,
  inputsOf,
  rebuild,
  type Sizes,
  simplify,
  stage,
} from '@heed/expr';
import {
  type AttendInput,
  type AttendProgram,
  type Axis,
  type FloatDType,
  type NormalizerForm,
  type WeightsRequest,
  workingDType,
} from '@heed/tensor';
import { inOrder } from './place.ts';
import type { Spec } from './spec.ts';

/** A class of shapes: all that a plan depends on. Lengths are absent, but for which side has fewer rows. */
export interface Problem {
  /** The inputs at hand: rows `q` and `k`, `value`, parameters and side inputs, along the axes they really vary along. */
  readonly inputs: Readonly<Record<string, AttendInput>>;
  readonly uniforms: Readonly<Record<string, 'float' | 'int'>>;
  readonly sizes: Sizes;
  readonly fewer: 'query' | 'key';
  readonly keep: { readonly level: boolean; readonly weights: WeightsRequest };
  /** Of the results. */
  readonly dtype: FloatDType;
}

/** Rows to compute ahead, in order, and the program that runs over all pairs. */
export interface Plan {
  readonly hoisted: readonly Hoisted[];
  readonly program: AttendProgram;
  /** What was moved and rewritten, and why. */
  readonly notes: readonly string[];
}

const pair = ['query', 'key'] as const;

/** Values that the stages of the loop hand on. */
const stages: ReadonlySet<string> = new Set(['score', 'level', 'maximum', 'count']);

/** Stages the formulas and writes the program. */
export function plan(spec: Spec, problem: Problem): Plan {
  const { level } = spec.normalizer;
  const roots: Record<string, Expr> = {
    score: spec.score,
    mask: spec.mask,
    reweight: spec.reweight,
    weight: spec.normalizer.weight,
    ...(level.by === 'root' ? { low: level.low, high: level.high } : {}),
    ...(spec.normalizer.sink ? { sink: spec.normalizer.sink } : {}),
  };
  const sized = Object.fromEntries(
    Object.entries(roots).map(([name, root]) => [
      name,
      simplify(varying(root, problem.inputs), { sizes: problem.sizes }),
    ]),
  );
  const staged = stage(sized, {
    pair,
    sides: [
      ['batch', 'head', 'query'],
      ['batch', 'keyHead', 'key'],
    ],
    fewer: problem.fewer,
    sizes: problem.sizes,
  });
  const at = <E extends Expr>(name: string): E => staged.roots[name] as E;
  const normalizer: NormalizerForm = {
    weight: at('weight'),
    level: level.by === 'root' ? { by: 'root', low: at('low'), high: at('high') } : level,
    sink: spec.normalizer.sink ? at('sink') : null,
  };
  const hoisted = staged.hoisted.map((row) => ({ ...row, along: inOrder(row.along) }));
  const read = new Set(inputsOf(Object.values(staged.roots)).map(({ data }) => data.name));
  const inputs: Record<string, AttendInput> = {};
  for (const [name, input] of Object.entries(problem.inputs)) {
    if (read.has(name) || name === 'value') inputs[name] = input;
  }
  for (const { name, along, body } of hoisted) {
    if (read.has(name))
      inputs[name] = { type: body.type, dtype: workingDType(problem.dtype), along: along as readonly Axis[] };
  }
  const cheaper = cheapen({ score: at('score') }, { pair });
  const program: AttendProgram = {
    kind: 'attend',
    inputs,
    value: 'value',
    uniforms: Object.fromEntries(Object.entries(problem.uniforms).filter(([name]) => read.has(name))),
    sizes: problem.sizes,
    score: at('score'),
    mask: at('mask'),
    normalizer,
    reweight: at('reweight'),
    cheaper,
    keep: problem.keep,
    dtype: problem.dtype,
  };
  return { hoisted, program, notes: [...staged.notes, ...(cheaper?.reasons ?? [])] };
}

/** The formula over inputs that say what they really vary along: a row repeated over the batch is staged once. */
function varying(root: Expr, inputs: Problem['inputs']): Expr {
  const [result] = rebuild([root], (node, home) => {
    if (node.op !== 'input') return node;
    const { name } = node.data;
    // What a stage gives is known only inside the loop: nothing that reads it can be computed ahead.
    if (stages.has(name)) return input(home, name, node.type, ['batch', 'head', 'query', 'key']);
    const known = inputs[name];
    return known ? input(home, name, node.type, known.along) : node;
  });
  return result as Expr;
}
