// A vector formula as a sum of rows, each times a scalar of the pair.

import { build, constant } from './infer.ts';
import { asExpr, graph, type Node } from './node.ts';

/** scale * factor * row */
export interface RowTerm {
  readonly row: string;
  /** Null for one. */
  readonly factor: Node | null;
  readonly scale: number;
  /** A node of the graph in which coefficients are built. */
  readonly home: Node;
}

/** The formula as a sum of inputs times scalars, each row and factor once; null where it is none. */
export function rowTerms(node: Node): readonly RowTerm[] | null {
  const terms = termsOf(node);
  if (!terms) return null;
  const sums = new Map<string, Map<Node | null, RowTerm>>();
  for (const term of terms) {
    const ofRow = sums.get(term.row) ?? new Map<Node | null, RowTerm>();
    const scale = (ofRow.get(term.factor)?.scale ?? 0) + term.scale;
    ofRow.set(term.factor, { ...term, scale });
    sums.set(term.row, ofRow);
  }
  return [...sums.values()].flatMap((ofRow) => [...ofRow.values()]);
}

const isScalar = (node: Node): boolean => node.type.dims.length === 0;

function termsOf(node: Node): readonly RowTerm[] | null {
  const [a, b] = node.args as readonly [Node, Node];
  const home = graph(asExpr(node));
  const change = (
    terms: readonly RowTerm[] | null,
    by: (term: RowTerm) => Partial<RowTerm>,
  ): readonly RowTerm[] | null => terms?.map((term) => ({ ...term, ...by(term) })) ?? null;
  const negated = (terms: readonly RowTerm[] | null) => change(terms, ({ scale }) => ({ scale: -scale }));
  switch (node.op) {
    case 'input':
      return [{ row: node.data.name, factor: null, scale: 1, home: node }];
    case 'neg':
      return negated(termsOf(a));
    case 'mul': {
      if (isScalar(a) === isScalar(b)) return null;
      const [scalar, vector] = isScalar(a) ? [a, b] : [b, a];
      if (scalar.op === 'const')
        return change(termsOf(vector), ({ scale }) => ({ scale: scale * scalar.data.value }));
      return change(termsOf(vector), ({ factor }) => ({
        factor: factor ? build(home, 'mul', [scalar, factor], null) : scalar,
      }));
    }
    case 'div':
      if (isScalar(a) || !isScalar(b)) return null;
      return change(termsOf(a), ({ factor }) => ({
        factor: build(home, 'div', [factor ?? constant(home, 1), b], null),
      }));
    case 'add':
    case 'sub': {
      if (isScalar(a) || isScalar(b)) return null;
      const [left, right] = [termsOf(a), termsOf(b)];
      const other = node.op === 'sub' ? negated(right) : right;
      return left && other && [...left, ...other];
    }
    default:
      return null;
  }
}

/** What the change of the score is multiplied by; null for one. Equal coefficients are one object. */
export function coefficientOf({
  factor,
  scale,
  home,
}: Pick<RowTerm, 'factor' | 'scale' | 'home'>): Node | null {
  if (scale === 1) return factor;
  const own = graph(asExpr(home));
  const by = constant(own, scale);
  return factor ? build(own, 'mul', [by, factor], null) : by;
}
