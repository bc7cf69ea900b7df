// The attention as its own kernels see it, so that their pieces can be used: what it packs for its scores, it packs for
// the cheaper formulas of the gradient too.

import { asExpr, asNode, type Expr, input, rebuild } from '@heed/expr';
import type { AttendGradientProgram } from '@heed/tensor';
import { analyse, type Formulas, type Row, varying } from '../attend/formula.ts';
import type { Design } from '../attend/layout.ts';
import { scaleOf } from '../attend/plan.ts';
import type { GradientDesign } from './design.ts';
import { SUBS } from './layout.ts';

export interface Forward {
  readonly design: Design;
  /** Rows of the gradient's cheaper formulas that go by another name here. */
  readonly renames: ReadonlyMap<string, string>;
}

export function forwardOf({ program, width, pool }: GradientDesign): Forward {
  const { of } = program;
  const { formulas, renames } = withCheaper(program, analyse(of));
  const design: Design = {
    program: of,
    formulas,
    whole: false,
    by: of.normalizer.level.by,
    scaled: scaleOf(formulas),
    weights: 'none',
    pool,
    subs: SUBS,
    width,
  };
  return { design, renames };
}

/** The formulas with the rows and guards of the gradient's cheaper ones among those of the score's. */
function withCheaper(
  { of, cheaper }: AttendGradientProgram,
  formulas: Formulas,
): { readonly formulas: Formulas; readonly renames: ReadonlyMap<string, string> } {
  const renames = new Map<string, string>();
  if (!cheaper) return { formulas, renames };
  const along = (name: string): readonly string[] => of.inputs[name]?.along ?? varying[name] ?? [];
  // In the graph in which the score was analysed equal formulas are one object.
  const [, ...bodies] = rebuild([of.score, ...cheaper.rows.map(({ body }) => body)], (node, home) =>
    node.op === 'input' ? input(home, node.data.name, node.type, along(node.data.name)) : node,
  ).map((body) => asNode(body as Expr));
  const known = formulas.cheaper?.rows ?? [];
  const rows: Row[] = [...known];
  for (const [i, { name, along: axes }] of cheaper.rows.entries()) {
    const body = bodies[i] as Row['body'];
    const same = known.find((row) => row.body === body);
    const taken = known.some((row) => row.name === name);
    const own = same?.name ?? (taken ? `${name}$gradient` : name);
    if (own !== name) renames.set(name, own);
    if (!same) rows.push({ name: own, along: axes, body: asNode(asExpr(body)) });
  }
  const limits = new Map<string, number>();
  for (const { input: name, limit } of [...(formulas.cheaper?.guards ?? []), ...cheaper.guards])
    limits.set(name, Math.min(limit, limits.get(name) ?? limit));
  const guards = [...limits].map(([name, limit]) => ({ input: name, limit }));
  return {
    formulas: { ...formulas, cheaper: { score: formulas.cheaper?.score ?? formulas.score, rows, guards } },
    renames,
  };
}
