// The memory of a thread: that of an attention, and what its gradient needs besides.

import { asNode } from '@heed/expr';
import { readsOf } from '../attend/formula.ts';
import {
  type AttendShape,
  type Design,
  type Layout,
  LINE,
  layOut,
  sideOf,
  widthOf,
} from '../attend/layout.ts';
import type { GradientDesign } from './design.ts';
import { TILE } from './outer-kernel.ts';
import { type Tiling, UPSTREAM } from './products.ts';

/** Records of 8 queries that go through a block of keys together. */
export const SUBS = 8;
/** Bytes of a record's tiles: scores, what is allowed, products of values. */
export const RECORD_TILES = 3 * TILE;
/** Queries of a block. */
export const QUERIES = SUBS * 8;

/** Tensors of the call besides the inputs of the attention, as far as they are read. */
export const othersOf = ({ program, solved }: GradientDesign): string[] => [
  'context',
  ...(solved ? ['level'] : []),
  ...(program.upstream.context ? ['grad$context'] : []),
  ...(program.upstream.weights ? ['grad$weights'] : []),
  ...(program.upstream.level ? ['grad$level'] : []),
];

/** @param tiling null where pairs are gone through one by one. */
export function layOutGradient(
  gradient: GradientDesign,
  design: Design,
  shape: AttendShape,
  tiling: Tiling | null,
  abreast: 1 | 2,
): Layout {
  const { unit, sub, operands } = layOut(design, shape);
  const { program, pair, sink, targets, width } = gradient;
  unit.add('chunk', 4);
  for (const tensor of othersOf(gradient)) unit.add(`base:${tensor}`, 4);
  for (const { gathered } of targets) unit.add(`base:${gathered}`, 4);
  const formulas = [program.weightByScore, program.weightByLevel, design.program.score];
  const roots = [design.program.mask, design.program.reweight, design.program.normalizer.weight, ...formulas];
  const read = readsOf(
    ...roots.map((root) => root && asNode(root)),
    design.program.normalizer.sink && asNode(design.program.normalizer.sink),
    ...[...pair, ...sink].flatMap(({ value, indices }) => [value, ...indices]),
  );
  const more = [...read].filter((name) => {
    const input = design.program.inputs[name];
    return input && input.type.lookups === 0 && sideOf(input.along) === 'query';
  });
  const queries = [...new Set([...operands.queries, ...more])];
  for (const name of queries) sub.add(`queries:${name}`, widthOf(design.program, name) * LINE);
  unit.add('large', 4);
  for (const name of ['valid', 'rho', 'sumB', 'sumGB', 'excess']) sub.add(name, LINE);
  if (program.upstream.context) sub.add('upstream', width * LINE);
  for (const target of targets) if (target.kept) sub.add(`kept:${target.name}`, target.width * LINE);
  if (tiling) {
    unit.add('calm', 4);
    for (const word of ['coefficients', 'up']) sub.add(word, 4);
    unit.add('tiles', abreast * RECORD_TILES);
    unit.add('coefficients', tiling.tiles * SUBS * TILE);
    unit.add('spare', 2 * LINE);
    for (const name of tiling.rows) {
      const numbers = name === UPSTREAM ? width : widthOf(design.program, name);
      unit.add(`rows:${name}`, QUERIES * numbers * 4 + 32);
    }
  }
  return { unit, sub, operands: { ...operands, queries } };
}
