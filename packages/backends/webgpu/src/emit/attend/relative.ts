// Weights that depend on a score and a level only through c * score - level: sparsemax, entmax and their like.
//
// What is taken off all scores of a row is then taken off its level, c times, and no weight changes. So both can be counted
// from the row's largest score, where they keep their full relative precision: a level of 1e4 is known to 5e-4 only.

import { asExpr, asNode, type Expr, type Node, reachable } from '@heed/expr';
import type { Lanes } from '../lanes.ts';
import type { Axes } from './formulas.ts';
import type { PairKernel } from './kernel.ts';
import { splat } from './softmax.ts';

/**
 * The c * score of such a weight: by how much the level changes where all scores of a row change by `score`. Null for
 * weights that depend on score or level in another way, or whose c varies along the row.
 */
export function scoreTerm(weight: Expr, axes: Axes): Expr | null {
  const nodes = [...reachable([asNode(weight)])];
  const named = (name: string): Node | undefined =>
    nodes.find((node) => node.op === 'input' && node.data.name === name);
  const onlyReader = (of: Node): Node | null => {
    const readers = nodes.filter(({ args }) => args.includes(of));
    return readers.length === 1 ? (readers[0] as Node) : null;
  };
  const [score, level] = [named('score'), named('level')];
  const difference = level && onlyReader(level);
  if (!score || difference?.op !== 'sub' || difference.args[1] !== level) return null;
  const term = difference.args[0] as Node;
  if (onlyReader(term) !== difference) return null;
  if (term === score) return asExpr(term);
  if (onlyReader(score) !== term || (term.op !== 'mul' && term.op !== 'div')) return null;
  const [a, b] = term.args as readonly [Node, Node];
  const factor = a === score ? b : term.op === 'mul' ? a : null;
  return factor && !axes.varies(factor, 'key') ? asExpr(term) : null;
}

/** Scores counted from an origin of each row. */
export const countedFrom = (
  { code, shape }: Pick<PairKernel, 'code' | 'shape'>,
  scores: Lanes,
  origin: Lanes | null,
): Lanes =>
  origin
    ? scores.map((score, g) => code.let('above', `${score} - ${splat(origin[g] as string, shape.width)}`))
    : scores;
