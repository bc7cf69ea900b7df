// Between formulas and programs: declares what a formula reads, keeps what it does read, and runs the result.

import {
  asExpr,
  type Bool,
  bool,
  type Declare,
  type Expr,
  ExpressionError,
  Graph,
  type Index,
  index,
  input,
  inputsOf,
  isExpr,
  type Scalar,
  scalar,
  type Type,
  trace,
} from '@heed/expr';
import type { DType } from '../contract/dtype.ts';
import type { MapProgram, Result, Uniforms } from '../contract/program.ts';
import type { Device } from '../device.ts';
import { dispatch, type ResultSpec } from '../dispatch.ts';
import { expandStrides, type Layout, type Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** Numbers that a formula is given at each call: changing one never makes a new kernel. */
export interface Knobs<U extends string = string, I extends string = string> {
  readonly uniforms?: Readonly<Record<U, number>>;
  /** Whole numbers of 32 bits: offsets, seeds, lengths. */
  readonly integers?: Readonly<Record<I, number>>;
}

/** The same as a formula sees them. */
export interface KnobSymbols<U extends string = string, I extends string = string> {
  readonly uniforms: Readonly<Record<U, Expr<Scalar>>>;
  readonly integers: Readonly<Record<I, Expr<Index>>>;
}

export type AnyScalar = Expr<Scalar> | Expr<Index> | Expr<Bool>;

/** What a program calls its i-th operand. */
export const operandName = (i: number): string => `x${i}`;
/** What a program calls the gradient of its i-th operand: no result is named as an input. */
export const gradientName = (i: number): string => `gradient$x${i}`;
/** Names that programs use themselves. */
const TAKEN = /^(x\d+|axis\d+|upstream|length|count|total|product)$/;

/** The kinds of a formula's knobs. @throws ExpressionError for a name that programs use, or that is used twice. */
export function uniformsOf(where: string, { uniforms = {}, integers = {} }: Knobs): Uniforms {
  const kinds: Record<string, 'float' | 'int'> = {};
  for (const [names, kind] of [
    [Object.keys(uniforms), 'float'],
    [Object.keys(integers), 'int'],
  ] as const) {
    for (const name of names) {
      if (TAKEN.test(name) || name in kinds) {
        throw new ExpressionError(
          `${where}: the uniform "${name}" has a name that is taken. Give it another.`,
        );
      }
      kinds[name] = kind;
    }
  }
  return kinds;
}

/** A text that differs where the knobs' names or kinds do. */
export const knobKey = ({ uniforms = {}, integers = {} }: Knobs): string =>
  JSON.stringify([Object.keys(uniforms), Object.keys(integers)]);

/** The knobs of a formula as it is traced. */
export function declareKnobs(declare: Declare, kinds: Uniforms): KnobSymbols {
  const of = (kind: 'float' | 'int', type: Type) =>
    Object.fromEntries(
      Object.keys(kinds)
        .filter((name) => kinds[name] === kind)
        .map((name) => [name, declare(name, type)]),
    );
  return {
    uniforms: of('float', scalar) as KnobSymbols['uniforms'],
    integers: of('int', index) as KnobSymbols['integers'],
  };
}

/** Runs a formula on symbols. What it gives, a float, an int or a bool, is found out by running it. */
export function traceScalar(
  where: string,
  formula: (declare: Declare) => AnyScalar | number | boolean,
): Expr {
  const home = new Graph();
  const first = naming(where, () => formula((name, type, along) => asExpr(input(home, name, type, along))));
  const type = isExpr(first) ? kindOf(first.type) : typeof first === 'boolean' ? bool : scalar;
  return trace<Type>(where, type, formula);
}

/** Errors of a formula begin with its name, as those of `trace` do. */
function naming<R>(where: string, body: () => R): R {
  try {
    return body();
  } catch (problem) {
    if (!(problem instanceof ExpressionError)) throw problem;
    throw new ExpressionError(`${where}: ${problem.message}`, { cause: problem });
  }
}

const kindOf = (type: Type): Type => ({ ...scalar, element: type.element });

const readBy = (bodies: readonly Expr[]): ReadonlySet<string> =>
  new Set(inputsOf(bodies).map(({ data }) => data.name));

const only = <T>(all: Readonly<Record<string, T>>, names: ReadonlySet<string>): Record<string, T> =>
  Object.fromEntries(Object.entries(all).filter(([name]) => names.has(name)));

/** What bodies read of the operands and knobs that there are. */
export function usedBy(bodies: readonly Expr[], inputs: Readonly<Record<string, DType>>, uniforms: Uniforms) {
  const names = readBy(bodies);
  return { names, inputs: only(inputs, names), uniforms: only(uniforms, names) };
}

/** A map that is declared to read what its results do read. */
export function mapProgram(
  rank: number,
  inputs: Readonly<Record<string, DType>>,
  uniforms: Uniforms,
  results: Readonly<Record<string, Result>>,
): MapProgram {
  const used = usedBy(
    Object.values(results).map(({ body }) => body),
    inputs,
    uniforms,
  );
  return { kind: 'map', rank, inputs: used.inputs, uniforms: used.uniforms, results };
}

/** A tensor repeated to a shape it broadcasts to, as a program's input. */
export const repeated = (tensor: Tensor, shape: Shape): { of: Tensor; as: Layout } => ({
  of: tensor,
  as: { shape, strides: expandStrides(tensor, shape) as number[], offset: tensor.offset },
});

/** Runs a map over operands, by name, that are broadcast to `shape`; it takes those that it reads. */
export function runMap(
  where: string,
  device: Device,
  program: MapProgram,
  shape: Shape,
  operands: Readonly<Record<string, Tensor>>,
  knobs: Readonly<Record<string, number>>,
  into?: Tensor,
): Record<string, Tensor> {
  const results = Object.entries(program.results).map(([name, { dtype }]): [string, ResultSpec] => [
    name,
    into ? { into } : { shape, dtype },
  ]);
  const inputs = Object.keys(program.inputs).map(
    (name) => [name, repeated(operands[name] as Tensor, shape)] as const,
  );
  return dispatch(device, program, {
    where,
    inputs: Object.fromEntries(inputs),
    results: Object.fromEntries(results),
    uniforms: only(knobs, new Set(Object.keys(program.uniforms))),
  });
}
