// From attend to its gradient: every derivative is taken here, as an expression; backends contain no calculus.

import { cheapen, derive, type Expr, inputsOf, isExpr, type Scalar, simplify } from '@heed/expr';
import type { AttendGradientProgram, AttendProgram, Partials } from '@heed/tensor';

/** The program that gives the gradients of the named inputs of `of`. */
export function differentiate(
  of: AttendProgram,
  wrt: readonly string[],
  upstream: AttendGradientProgram['upstream'],
): AttendGradientProgram {
  const { normalizer, sizes } = of;
  const by = (root: Expr<Scalar> | null, names: readonly string[]): (Expr | null)[] => {
    if (root === null) return names.map(() => null);
    const found = new Map(inputsOf([root]).map((node) => [node.data.name, node]));
    const known = names.filter((name) => found.has(name));
    const partials = derive(
      root,
      known.map((name) => found.get(name) as unknown as Expr),
    );
    const simple = new Map(known.map((name, i) => [name, partials[i] ?? null]));
    return names.map((name) => {
      const partial = simple.get(name) ?? null;
      return partial && simplify(partial, { sizes });
    });
  };
  const formulas = wrt.filter((name) => name !== of.value);
  const score = by(of.score, formulas);
  const reweight = by(of.reweight, formulas);
  const weight = by(normalizer.weight, formulas);
  const sink = by(normalizer.sink, formulas);
  const partials = Object.fromEntries(
    formulas.map((name, i): [string, Partials] => [
      name,
      {
        score: score[i] ?? null,
        reweight: reweight[i] ?? null,
        weight: weight[i] ?? null,
        sink: sink[i] ?? null,
      },
    ]),
  );
  const [weightByScore, weightByLevel] = by(normalizer.weight, ['score', 'level']) as (Expr<Scalar> | null)[];
  const roots = Object.fromEntries(
    formulas.flatMap((name, i) => (isExpr(score[i]) ? [[name, score[i] as Expr]] : [])),
  );
  return {
    kind: 'attend-gradient',
    of,
    wrt,
    upstream,
    weightByScore: weightByScore ?? null,
    weightByLevel: weightByLevel ?? null,
    partials,
    cheaper: Object.keys(roots).length > 0 ? cheapen(roots, { pair: ['query', 'key'] }) : null,
  };
}
