// The gradient of a row formula as a row program: reverse mode over reductions.
//
// With y = f(x, r1..rn), r_k = reduce of b_k(x, r1..r_{k-1}) and g the gradient of y, going from k = n down to 1:
//   adjoint_k = sum over the row of g df/dr_k + sum over i > k of the changes that pass through r_i
//   a sum passes adjoint_k on to each b_k; a max passes it to the elements that are the largest, in equal shares
// and every element x_j receives g df/dx_j and what passes through the b_k.

import {
  add,
  asExpr,
  derive,
  div,
  type Expr,
  eq,
  graph,
  input,
  inputsOf,
  mul,
  type Scalar,
  scalar,
  select,
  substitute,
  toFloat,
} from '@heed/expr';
import type { DType } from '../contract/dtype.ts';
import type { RowProgram } from '../contract/program.ts';
import { gradientName, operandName } from './formula.ts';
import { rowProgram, type TracedRow } from './rowwise.ts';

type Reduction = RowProgram['reductions'][number];

/** The program that gives the gradients of the wanted operands, named as they are; null where none depends. */
export function rowGradient(traced: TracedRow, rank: number, wanted: readonly boolean[]): RowProgram | null {
  const { reductions, result, per } = traced;
  const home = graph(result);
  const symbol = (name: string): Expr<Scalar> => asExpr<Scalar>(input(home, name, scalar));
  const names = Object.keys(traced.kinds);
  const operands = names.map(symbol);
  const rows = reductions.map(({ name }) => symbol(name));
  const upstream = symbol('upstream');

  const atOperands: (Expr<Scalar> | null)[] = names.map(() => null);
  // A result per row reads its reductions once; one per element is read along the whole row, and summed.
  const atRows: (Expr<Scalar> | null)[] = rows.map(() => null);
  const summedAtRows: (Expr<Scalar> | null)[] = rows.map(() => null);
  const plus = (to: (Expr<Scalar> | null)[], i: number, change: Expr<Scalar> | null): void => {
    const before = to[i];
    if (change) to[i] = before ? add(before, change) : change;
  };
  /** Passes `weight` times the change of `body` on to operands and to the first `upTo` reductions. */
  const pass = (
    weight: Expr<Scalar>,
    body: Expr<Scalar>,
    upTo: number,
    into: (Expr<Scalar> | null)[],
  ): void => {
    // The weight reads reductions too; a symbol in its place keeps it out of the differentiation.
    const held = symbol('weight$');
    const changes = derive(mul(held, body), [...operands, ...rows.slice(0, upTo)]).map((change) =>
      change ? substitute(change as Expr<Scalar>, { weight$: weight }) : null,
    );
    for (const [i] of operands.entries()) plus(atOperands, i, changes[i] ?? null);
    for (let k = 0; k < upTo; k++) plus(into, k, changes[operands.length + k] ?? null);
  };

  pass(upstream, result, rows.length, per === 'row' ? atRows : summedAtRows);
  const extra: Reduction[] = [];
  for (let k = reductions.length - 1; k >= 0; k--) {
    const { name, by, body, neutral } = reductions[k] as TracedRow['reductions'][number];
    const along = summedAtRows[k] ?? null;
    if (neutral || (!along && !atRows[k])) continue;
    let adjoint = atRows[k] ?? null;
    if (along) {
      extra.push({ name: `adjoint$${name}`, by: 'sum', body: along });
      const summed = symbol(`adjoint$${name}`);
      adjoint = adjoint ? add(adjoint, summed) : summed;
    }
    if (by === 'sum') {
      pass(adjoint as Expr<Scalar>, body, k, summedAtRows);
    } else {
      const hit = eq(body, rows[k] as Expr<Scalar>);
      extra.push({ name: `ties$${name}`, by: 'sum', body: toFloat(hit as Expr<never>) });
      pass(select(hit, div(adjoint as Expr<Scalar>, symbol(`ties$${name}`)), 0), body, k, summedAtRows);
    }
  }

  const results: Record<string, RowProgram['results'][string]> = {};
  for (const [i, change] of atOperands.entries()) {
    const name = operandName(i);
    if (change && wanted[i])
      results[gradientName(i)] = { dtype: traced.kinds[name] as DType, body: change, per: 'element' };
  }
  if (Object.keys(results).length === 0) return null;
  const all: Reduction[] = [...reductions.map(({ name, by, body }) => ({ name, by, body })), ...extra];
  const kinds = { ...traced.kinds, upstream: traced.dtype };
  return rowProgram(
    rank,
    { kinds, uniforms: traced.uniforms },
    reached(all, Object.values(results)),
    results,
  );
}

/** The reductions that results read, directly or through others. */
function reached(reductions: readonly Reduction[], results: readonly { readonly body: Expr }[]): Reduction[] {
  const names = new Set(inputsOf(results.map(({ body }) => body)).map(({ data }) => data.name));
  return reductions
    .toReversed()
    .filter(({ name, body }) => {
      if (!names.has(name)) return false;
      for (const { data } of inputsOf([body])) names.add(data.name);
      return true;
    })
    .toReversed();
}
