// Which gradients are matrix products: where a partial of the score is a number for each pair times a row of the other
// side, the sum over pairs is a product of a tile of numbers and rows.
//
//   score = c (q . k):   d q = (dS c) K     d k = (dS c)^T Q     d value = P^T (gradient of context)
//
// Rows of the same side (the q of q - k) are multiplied by the sums of the tile's rows or columns instead. Both together
// are as exact as if q and k had been rounded once more.

import {
  asExpr,
  asNode,
  coefficientOf,
  type Expr,
  input,
  type Node,
  type RowTerm,
  reachable,
  rebuild,
  rowTerms,
} from '@heed/expr';
import { varying } from '../attend/formula.ts';
import { type Design, sideOf } from '../attend/layout.ts';
import { lanewise } from '../lanewise.ts';
import type { GradientDesign, Part, Target } from './design.ts';
import type { Forward } from './forward.ts';

/** A part as a matrix product of the tile of a coefficient and rows. */
export interface Product {
  readonly target: Target;
  /** The input whose rows are summed; the gradient of context for a value. */
  readonly row: string;
  /** Which coefficient. */
  readonly tile: number;
  /** Whether rows are those of the target's own side: each is multiplied by the sum of its coefficients. */
  readonly own: boolean;
  /** Whether it is taken away (of own rows only). */
  readonly negative: boolean;
}

/** A part of the score's change that is computed feature by feature, each number from the numbers at its own place. */
export interface Fold {
  readonly target: Target;
  readonly value: Node;
  /** The same with cheaper arithmetic, right within the guards; null where there is none. */
  readonly cheap: Node | null;
}

/** Folds over as many features. */
export interface Folds {
  readonly size: number;
  readonly parts: readonly Fold[];
}

/** How a block of keys and queries is done by tiles. */
export interface Tiling {
  /** What the change of the score is multiplied by for each tile; null for one. */
  readonly coefficients: readonly (Node | null)[];
  /** The tile of the weights that values were multiplied by; -1 where there is none. */
  readonly values: number;
  readonly tiles: number;
  readonly products: readonly Product[];
  readonly folds: readonly Folds[];
  /** The tile of the score's change, which folds read. */
  readonly change: number;
  /** What is done pair by pair. */
  readonly rest: readonly Part[];
  /** Rows of queries that are packed: inputs, and the gradient of context. */
  readonly rows: readonly string[];
  /** Formulas of pairs, reading the terms of the score from their tiles. */
  readonly weight: Node;
  readonly reweight: Node;
  readonly slope: Node | null;
  readonly byLevel: Node | null;
}

export const UPSTREAM = 'grad$context';

/** Null where nothing is a matrix product. */
export function tilingOf(
  gradient: GradientDesign,
  { design, renames }: Forward,
  keys: readonly string[],
): Tiling | null {
  const { program, pair, value } = gradient;
  const { of } = program;
  const onTiles = reader(design, [
    of.normalizer.weight,
    of.reweight,
    ...[program.weightByScore, program.weightByLevel].filter((one) => one !== null),
    ...pair.flatMap(({ value: one, indices }) => [one, ...indices].map((node) => asExpr(node))),
    ...Object.values(program.cheaper?.roots ?? {}),
  ]);
  const parts = pair.map(
    (part): Part => ({ ...part, value: onTiles(part.value), indices: part.indices.map(onTiles) }),
  );
  const coefficients: (Node | null)[] = [];
  const linearTerms: (RowTerm & Pick<Product, 'target' | 'own'>)[] = [];
  const products: Product[] = [];
  const rest: Part[] = [];
  const folds: Fold[] = [];
  const sideOfRow = (row: string) => sideOf(of.inputs[row]?.along ?? []);
  for (const part of parts) {
    const terms = part.stage === 'score' && part.indices.length === 0 ? rowTerms(part.value) : null;
    const { target } = part;
    const fits =
      terms &&
      target.sizes.length === 1 &&
      target.input.type.lookups === 0 &&
      (target.side === 'query' || target.side === 'key') &&
      terms.every(({ row }) => {
        const found = of.inputs[row];
        const side = sideOf(found?.along ?? []);
        if (found?.type.dims.length !== 1 || found.type.lookups > 0) return false;
        return side === 'query' || (side === 'key' && keys.includes(row));
      });
    if (!fits) {
      if (!isFold(part)) {
        rest.push(part);
        continue;
      }
      const root = program.cheaper?.roots[target.name];
      const cheap = root ? renamed(onTiles(asNode(root)), renames) : null;
      folds.push({ target, value: part.value, cheap: cheap && isByFeature(cheap) ? cheap : null });
      continue;
    }
    linearTerms.push(...terms.map((term) => ({ ...term, target, own: sideOfRow(term.row) === target.side })));
  }
  const tileOf = (coefficient: Node | null): number => {
    const known = coefficients.indexOf(coefficient);
    return known >= 0 ? known : coefficients.push(coefficient) - 1;
  };
  for (const { target, row, own, ...term } of linearTerms)
    if (!own) products.push({ target, row, own, tile: tileOf(coefficientOf(term)), negative: false });
  for (const { target, row, own, ...term } of linearTerms) {
    if (!own) continue;
    // Rows of the own side may take the tile of the other, with its sign turned.
    const turned = coefficients.indexOf(coefficientOf({ ...term, scale: -term.scale }));
    const tile = turned >= 0 ? turned : tileOf(coefficientOf(term));
    products.push({ target, row, own, tile, negative: turned >= 0 });
  }
  let change = coefficients.indexOf(null);
  if (folds.length > 0 && change < 0) change = coefficients.push(null) - 1;
  const byProduct = value && value.side === 'key' && value.sizes.length === 1;
  const values = byProduct ? coefficients.length : -1;
  if (value && byProduct)
    products.push({ target: value, row: UPSTREAM, tile: values, own: false, negative: false });
  if (products.length === 0 && folds.length === 0) return null;
  const rows = products
    .filter(({ row }) => row === UPSTREAM || sideOfRow(row) === 'query')
    .map(({ row }) => row);
  return {
    coefficients,
    values,
    tiles: coefficients.length + (byProduct ? 1 : 0),
    products,
    folds: [...new Set(folds.map(({ target }) => target.width))].map((size) => ({
      size,
      parts: folds.filter(({ target }) => target.width === size),
    })),
    change,
    rest,
    rows: [...new Set(rows)],
    weight: onTiles(asNode(of.normalizer.weight)),
    reweight: onTiles(asNode(of.reweight)),
    slope: program.weightByScore && onTiles(asNode(program.weightByScore)),
    byLevel: program.weightByLevel && onTiles(asNode(program.weightByLevel)),
  };
}

/** Puts what the terms' tiles hold in place of the terms: formulas become those of the graph in which terms were found. */
function reader({ program, formulas, scaled }: Design, roots: readonly Expr[]): (node: Node) => Node {
  const names = new Map<Node, string>();
  // Where the score is the product itself, the tile of the product is not kept.
  if (!scaled) for (const { name, node } of formulas.score.terms) names.set(node as Node, name);
  const along = (name: string): readonly string[] => program.inputs[name]?.along ?? varying[name] ?? [];
  const given = [program.score, ...roots];
  const made = rebuild(given, (node, home) => {
    if (node.op === 'input') return input(home, node.data.name, node.type, along(node.data.name));
    const name = names.get(node);
    return name === undefined ? node : input(home, name, node.type, ['query', 'key']);
  });
  const known = new Map(given.map((root, i) => [root as unknown as Node, made[i] as unknown as Node]));
  return (node) => known.get(node) as Node;
}

/** Whether a part is computed feature by feature. */
function isFold({ stage, target, indices, value }: Part): boolean {
  const { side, sizes, input: of } = target;
  if (stage !== 'score' || indices.length > 0 || sizes.length !== 1 || side === 'pair') return false;
  return of.type.lookups === 0 && target.width > 0 && isByFeature(value);
}

const isByFeature = (root: Node): boolean =>
  [...reachable([root])].every(
    ({ op, args, type }) =>
      op === 'const' ||
      (op === 'input' && type.lookups === 0) ||
      (op === 'fill' && args[0]?.op === 'const') ||
      (op in lanewise && type.dims.length < 2),
  );

/** The formula with its inputs under other names. */
function renamed(root: Node, names: ReadonlyMap<string, string>): Node {
  const [made] = rebuild([asExpr(root)], (node, home) => {
    const name = node.op === 'input' ? names.get(node.data.name) : undefined;
    return name === undefined || node.op !== 'input' ? node : input(home, name, node.type, node.data.along);
  });
  return asNode(made as Expr);
}
