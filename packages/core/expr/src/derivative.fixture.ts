// Differences to compare derivatives with, and inputs to write formulas of.

import fc from 'fast-check';
import { expect } from 'vitest';
import type { Sample } from './arbitraries.fixture.ts';
import { add, square } from './author.ts';
import { derive } from './derive.ts';
import { evaluate } from './evaluate.ts';
import { build, input } from './infer.ts';
import { asExpr, asNode, type Expr, Graph, type Node } from './node.ts';
import type { Op } from './op.ts';
import { index, mat, type Scalar, type Sizes, scalar, type Type, table, type Vec, vec } from './type.ts';
import type { TableValue, Value } from './value.ts';
import { inputsOf, reachable } from './walk.ts';

const sizes = { n: 3, m: 2 };
export type Values = Readonly<Record<string, Value>>;

/** The root as a function of a step in one number of an input, for each number. */
function moved(root: Expr<Scalar>, name: string, values: Values, dims: Sizes): ((by: number) => number)[] {
  const held = numbersOf(values[name] as Value);
  return held.map((_, i) => (by) => {
    const next = held.map((x, k) => (k === i ? x + by : x));
    return evaluate(root, { ...values, [name]: withNumbers(values[name] as Value, next) }, dims);
  });
}

/** d root / d (each number of an input), by central differences of fourth order. */
const differences = (
  root: Expr<Scalar>,
  name: string,
  values: Values,
  h = 1e-3,
  dims: Sizes = sizes,
): number[] =>
  moved(root, name, values, dims).map((f) => (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h));

/** The slope to the right less the slope to the left. */
const bends = (root: Expr<Scalar>, name: string, values: Values, h: number, dims: Sizes): number[] =>
  moved(root, name, values, dims).map((f) => (f(h) + f(-h) - 2 * f(0)) / h);

export const numbersOf = (value: Value): number[] =>
  typeof value === 'object' ? Array.from('data' in value ? value.data : value) : [Number(value)];
const withNumbers = (value: Value, numbers: number[]): Value =>
  typeof value !== 'object'
    ? (numbers[0] as number)
    : 'data' in value
      ? { ...value, data: numbers }
      : numbers;

/** A made table is as large as its furthest entry: cut and padded to the table that it is the change of. */
function padded(change: Value, like: Value): number[] {
  if (typeof like !== 'object' || !('data' in like)) return numbersOf(change);
  const { sizes: made, data } = change as TableValue;
  const entries = (of: readonly number[]): number => of.reduce((all, one) => all * one, 1);
  const width = like.data.length / entries(like.sizes);
  const out = new Array<number>(like.data.length).fill(0);
  for (let entry = 0; entry < entries(made); entry++) {
    let rest = entry;
    let place = 0;
    let step = 1;
    for (let axis = made.length - 1; axis >= 0; axis--) {
      const i = rest % (made[axis] as number);
      rest = Math.floor(rest / (made[axis] as number));
      place = i < (like.sizes[axis] as number) ? place + i * step : NaN;
      step *= like.sizes[axis] as number;
    }
    for (let k = 0; k < width && !Number.isNaN(place); k++)
      out[place * width + k] = data[entry * width + k] as number;
  }
  return out;
}

export function expectDerivative(root: Expr<Scalar>, wrt: Expr, values: Values): void {
  const { name } = asNode(wrt).data as { name: string };
  const [change] = derive(root, [wrt]);
  const expected = differences(root, name, values);
  if (!change) {
    expect(Math.max(...expected.map(Math.abs))).toBeLessThan(1e-9);
    return;
  }
  expect(change.type).toEqual(wrt.type);
  const got = padded(evaluate(change, values, sizes), values[name] as Value);
  const scale = Math.max(1, Math.abs(evaluate(root, values, sizes)), ...expected.map(Math.abs));
  for (const [i, one] of got.entries())
    expect(Math.abs(one - (expected[i] as number))).toBeLessThan(1e-8 * scale);
}

export const given = <T extends Type>(home: Graph, name: string, type: T): Expr<T> =>
  asExpr<T>(input(home, name, type));

// Inputs and values at which what the tests write is smooth.
export const home = new Graph();
export const x = given(home, 'x', scalar);
export const y = given(home, 'y', scalar);
export const u = given(home, 'u', vec('n'));
export const v = given(home, 'v', vec('n'));
export const w = given(home, 'w', mat('m', 'n'));
export const i = given(home, 'i', index);
export const t = given(home, 't', table(1));
export const r = given(home, 'r', table(1, vec('n')));
export const values: Values = {
  x: 0.7,
  y: 1.9,
  u: [0.3, -1.2, 0.8],
  v: [1.1, 0.4, -0.6],
  w: [0.5, -0.2, 0.9, 1.3, 0.1, -0.7],
  i: 1,
  t: { sizes: [3], data: [0.5, 2, -1] },
  r: { sizes: [2], data: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6] },
};
export const positive = add(square(u), 0.5);
export const node = (
  op: Op,
  args: readonly Expr[],
  data: { dim: string; axis?: number; from?: string } | null = null,
) => asExpr<Vec<'n'>>(build(home, op, args.map(asNode), data as never));

/**
 * Compares every float input's derivative with differences, where the function is smooth: widths agree, and so do the
 * slopes to the left and to the right (their gap halves with the step; at a kink it stays).
 */
export function agrees({ root, values, sizes }: Sample, smoothly: boolean): void {
  const here = evaluate(root as Expr<Scalar>, values, sizes);
  const inner = [...reachable([asNode(root)])].flatMap((one) =>
    numbersOf(evaluate(asExpr(one), values, sizes)),
  );
  fc.pre(inner.every((one) => Math.abs(one) < 1e4));
  const wrt = inputsOf([root]).filter(({ type }) => type.element === 'float');
  const changes = derive(root as Expr<Scalar>, wrt as Node[]);
  for (const [at, { data, type }] of wrt.entries()) {
    const held = values[data.name] as Value;
    const by = (step: number): number[] => differences(root, data.name, values, step, sizes);
    const [coarse, fine] = [by(1e-3), by(3e-4)] as const;
    const gap = (step: number): number[] => bends(root, data.name, values, step, sizes);
    const [wide, narrow] = [gap(1e-3), gap(5e-4)] as const;
    const change = changes[at];
    expect(change?.type ?? type).toEqual(type);
    const got = change ? padded(evaluate(change, values, sizes), held) : coarse.map(() => 0);
    for (const [i, expected] of fine.entries()) {
      const scale = Math.max(1, Math.abs(expected), Math.abs(here));
      const agreed = Math.abs(expected - (coarse[i] as number)) < 1e-7 * scale;
      const smooth = Math.abs(narrow[i] as number) <= 0.6 * Math.abs(wide[i] as number) + 1e-9 * scale;
      // An infinite slope somewhere on the way (0 to a power below 1) makes a change that is not finite.
      const finite = smoothly || Number.isFinite(got[i]);
      if (agreed && smooth && finite)
        expect(Math.abs((got[i] as number) - expected)).toBeLessThan(1e-6 * scale);
    }
  }
}
