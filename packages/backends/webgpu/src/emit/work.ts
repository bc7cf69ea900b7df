// How much a formula has to do.

import { asNode, type Expr, type Op, reachable, type Sizes, sizeOf } from '@heed/expr';

/** Operations of which each element is a product and a sum. */
const sums: ReadonlySet<Op> = new Set<Op>(['dot', 'norm', 'matvec', 'vecmat']);

/** Operations for one pair, by the nodes of its formulas: one for each element, two where products are summed. */
export function operationsOf(formulas: readonly (Expr | null)[], sizes: Sizes): number {
  const roots = formulas.filter((one) => one !== null).map(asNode);
  let operations = 0;
  for (const { op, args } of reachable(roots)) {
    if (op === 'input' || op === 'const') continue;
    const dims = new Set(args.flatMap(({ type }) => type.dims));
    const elements = [...dims].reduce((all, dim) => all * (sizeOf(dim, sizes) ?? 1), 1);
    operations += sums.has(op) ? 2 * elements : elements;
  }
  return operations;
}
