// Attempts at programs that sum: reduce, row, matmul, gather, scatter-add.

import * as e from '@heed/expr';
import type { DType, Program, Reduction } from '@heed/tensor';
import type { Random } from '../../random.ts';
import { type Attempt, drawn } from './attempt.ts';

type Float = e.Expr<e.Scalar>;

const formula = (
  f: (symbol: (name: string) => Float, index: (name: string) => e.Expr<e.Index>) => e.Expr,
): e.Expr => {
  const home = new e.Graph();
  return f(
    (name) => e.asExpr<e.Scalar>(e.input(home, name, e.scalar, [])),
    (name) => e.asExpr<e.Index>(e.input(home, name, e.index, [])),
  );
};

const sizes = (random: Random, count: number, empty: boolean): number[] =>
  Array.from({ length: count }, () => (empty && random.flip(0.1) ? 0 : random.pick([1, 2, 3, 7, 33])));

export function reduceAttempts(floats: DType, random: Random): Attempt[] {
  const reductions: readonly Reduction[] = ['sum', 'max', 'min', 'argmax', 'argmin'];
  return reductions.flatMap((by) =>
    [false, true].map((withNaN): Attempt => {
      const [rank, reduced] = [random.integer(0, 2), random.integer(1, 2)];
      const shape = [...sizes(random, rank, true), ...sizes(random, reduced, true)];
      const position = by === 'argmax' || by === 'argmin';
      const body = formula((symbol) =>
        by === 'sum' ? e.mul(symbol('a'), symbol('b')) : symbol('a'),
      ) as Float;
      const finish = formula((symbol, index) =>
        position
          ? e.add(index('total'), 1)
          : by === 'sum'
            ? e.div(symbol('total'), e.add(e.toFloat(index('count')), 1))
            : symbol('total'),
      );
      // Few values, so that there are ties: the first position wins.
      const each = { each: () => (withNaN && random.flip(0.05) ? Number.NaN : random.integer(-4, 4) / 4) };
      const dtype: DType = position ? 'int32' : floats;
      const inputs = {
        a: drawn(shape, floats, random, each),
        ...(by === 'sum' ? { b: drawn(shape, floats, random) } : {}),
      };
      return {
        name: `reduce by ${by} of ${floats} [${shape}], the last ${reduced}${withNaN ? ', with NaN' : ''}`,
        program: (change): Program => ({
          kind: 'reduce',
          rank,
          reduced,
          inputs: Object.fromEntries(Object.entries(inputs).map(([name, one]) => [name, change(one.dtype)])),
          uniforms: {},
          body,
          by,
          finish,
          dtype: change(dtype),
        }),
        inputs,
        results: { out: { shape: shape.slice(0, rank), dtype } },
        roundings: shape.slice(rank).reduce((all, one) => all * one, 1) + 4,
      };
    }),
  );
}

/** A softmax, a layer norm, and a log-sum-exp for each row. */
export function rowAttempts(floats: DType, random: Random): Attempt[] {
  const rank = random.integer(0, 2);
  const shape = [...sizes(random, rank, true), random.pick([1, 2, 5, 33])];
  const rows = shape.slice(0, -1);
  const length = shape[rank] as number;
  const a = drawn(shape, floats, random, { scale: 3 });
  const base = { roundings: length + 8, inputs: { a } };
  const softmax: Attempt = {
    ...base,
    name: `row: softmax and log-sum-exp of ${floats} [${shape}]`,
    program: (change): Program => ({
      kind: 'row',
      rank,
      inputs: { a: change(floats) },
      uniforms: {},
      reductions: [
        { name: 'most', by: 'max', body: formula((symbol) => symbol('a')) as Float },
        {
          name: 'total',
          by: 'sum',
          body: formula((symbol) => e.exp(e.sub(symbol('a'), symbol('most')))) as Float,
        },
      ],
      results: {
        weights: {
          dtype: change(floats),
          per: 'element',
          body: formula((s) => e.div(e.exp(e.sub(s('a'), s('most'))), s('total'))),
        },
        level: {
          dtype: change(floats),
          per: 'row',
          body: formula((s) => e.add(s('most'), e.log(s('total')))),
        },
      },
    }),
    results: { weights: { shape, dtype: floats }, level: { shape: rows, dtype: floats } },
  };
  const norm: Attempt = {
    ...base,
    inputs: { a: drawn(shape, floats, random, { scale: 3, varied: true }) },
    name: `row: layer norm of ${floats} [${shape}]`,
    program: (change): Program => ({
      kind: 'row',
      rank,
      inputs: { a: change(floats) },
      uniforms: { epsilon: 'float' },
      reductions: [
        { name: 'whole', by: 'sum', body: formula((symbol) => symbol('a')) as Float },
        {
          name: 'spread',
          by: 'sum',
          body: formula((symbol, index) =>
            e.square(e.sub(symbol('a'), e.div(symbol('whole'), index('length')))),
          ) as Float,
        },
      ],
      results: {
        out: {
          dtype: change(floats),
          per: 'element',
          body: formula((symbol, index) =>
            e.mul(
              e.sub(symbol('a'), e.div(symbol('whole'), index('length'))),
              e.rsqrt(e.add(e.div(symbol('spread'), index('length')), symbol('epsilon'))),
            ),
          ),
        },
      },
    }),
    uniforms: { epsilon: 0.01 },
    results: { out: { shape, dtype: floats } },
  };
  return [softmax, norm];
}

export function matmulAttempts(floats: DType, random: Random): Attempt[] {
  return [0, 1, 2].map((rank): Attempt => {
    const batch = sizes(random, rank, false).map((size) => Math.min(size, 3));
    const [m, k, n] = [
      random.pick([1, 2, 5, 33]),
      random.pick([0, 1, 3, 17, 40]),
      random.pick([1, 4, 9, 31]),
    ];
    const out = [...batch, m, n];
    const bias = drawn(out, floats, random);
    return {
      name: `matmul of ${floats} [${batch}] ${m} x ${k} x ${n}`,
      program: (change): Program => ({
        kind: 'matmul',
        rank,
        a: change(floats),
        b: change(floats),
        inputs: { bias: change(floats) },
        uniforms: { scale: 'float' },
        epilogue: formula((symbol) =>
          e.tanh(e.add(e.mul(symbol('product'), symbol('scale')), symbol('bias'))),
        ) as Float,
        dtype: change(floats),
      }),
      inputs: {
        a: drawn([...batch, m, k], floats, random),
        b: drawn([...batch, k, n], floats, random),
        bias,
      },
      uniforms: { scale: 0.5 },
      results: { out: { shape: out, dtype: floats } },
      roundings: k + 6,
    };
  });
}

/** Lookups, and their way back: repeated indices add up in order. */
export function lookupAttempts(dtype: DType, random: Random): Attempt[] {
  const outer = sizes(random, random.integer(0, 2), false).map((size) => Math.min(size, 3));
  const inner = sizes(random, random.integer(0, 2), false).map((size) => Math.min(size, 3));
  const [n, m] = [random.integer(1, 6), random.integer(1, 8)];
  const at = { each: () => random.integer(0, n - 1) };
  const shape = [...outer, m, ...inner];
  const form = { outer: outer.length, inner: inner.length };
  const gather: Attempt = {
    name: `gather of ${dtype} [${shape}] from ${n}`,
    program: (change): Program => ({ kind: 'gather', ...form, dtype: change(dtype) }),
    inputs: { data: drawn([...outer, n, ...inner], dtype, random), index: drawn(shape, 'int32', random, at) },
    results: { out: { shape, dtype } },
    roundings: 1,
  };
  const scatter: Attempt = {
    name: `scatter-add of ${dtype} [${shape}] into ${n}`,
    program: (change): Program => ({ kind: 'scatter-add', ...form, dtype: change(dtype) }),
    inputs: { source: drawn(shape, dtype, random), index: drawn(shape, 'int32', random, at) },
    onto: { out: drawn([...outer, n, ...inner], dtype, random) },
    results: {},
    roundings: m + 1,
  };
  return dtype === 'bool' || dtype === 'int8' ? [gather] : [gather, scatter];
}
