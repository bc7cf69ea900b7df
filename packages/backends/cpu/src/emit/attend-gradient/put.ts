// Adding what a pair gives to where the gradient of an input gathers.

import { LINE } from '../attend/layout.ts';
import {
  AXIS,
  FIRST_OWN,
  type Int,
  number,
  type Site,
  scaled,
  simd,
  strideOn,
  subLanes,
  subWord,
  unitWord,
  type Vector,
} from '../attend/site.ts';
import type { ExpressionWriter, Position } from '../expression.ts';
import type { Lanes } from '../simd.ts';
import type { Target } from './design.ts';

/** Where a contribution goes. */
export interface Place {
  /** The key of the pair; null for that of the sink. */
  readonly key: Int | null;
  /** Which of the 8 lanes count. */
  readonly allowed: Lanes;
  /** The entry of a table, by lanes. */
  readonly indices: readonly Lanes[];
}

/** Visits the numbers of a value of these sizes, row-major: their positions, and how many lie before. */
export function eachPlace(
  { code }: Site,
  writer: ExpressionWriter,
  sizes: readonly number[],
  visit: (at: readonly Position[], flat: Position) => void,
): void {
  const [rows, columns] = sizes;
  if (rows === undefined) visit([], code.let('i32', 0));
  else if (columns === undefined) writer.each(rows, (at) => visit([at], at));
  else {
    const flat = code.let('i32', 0);
    writer.each(rows, (row) =>
      writer.each(columns, (column) => {
        visit([row, column], flat);
        code.set(flat, code.op('i32.add', flat, 1));
      }),
    );
  }
}

/**
 * Adds lanes to a number of a target. Lanes that do not count are zero.
 *
 * @param at its positions within the dims, of which `flat` come before.
 */
export function put(
  site: Site,
  target: Target,
  lanes: Lanes,
  at: readonly Position[],
  flat: Position,
  { key, allowed, indices }: Place,
): void {
  const { code, layout, sub } = site;
  const s = simd(site, 2);
  if (target.kept) {
    const to = scaled(site, sub, flat, LINE);
    const offset = layout.sub.at(`kept:${target.name}`);
    for (const [i, vector] of s.variables(lanes).entries()) {
      const sum = code.op('f32x4.add', code.load('v128.load', to, offset + 16 * i), vector);
      code.access('v128.store', offset + 16 * i, to, code.let('v128', sum));
    }
    return;
  }
  const { gathered, input, side } = target;
  let start = ownPlace(site, target, at);
  if (key && (side === 'key' || side === 'pair'))
    start = scaled(site, start, key, strideOn(site, gathered, AXIS.key));
  if (side === 'key' && input.type.lookups === 0) {
    addSum(site, lanes, start);
    return;
  }
  const moves = side === 'query' || side === 'pair';
  const queries = moves ? subLanes(site, 'queries') : null;
  const step = moves ? strideOn(site, gathered, AXIS.query) : null;
  const sizes = indices.map((_, i) => number(site, `size:${target.name}:${i}`));
  const steps = indices.map((_, i) => strideOn(site, gathered, FIRST_OWN + i));
  for (let lane = 0; lane < 8; lane++) {
    const of = (all: Lanes): Int =>
      code.let('i32', code.lane('i32x4.extract_lane', lane % 4, s.vector(all, lane >> 2)));
    const inside = of(allowed);
    const pointer = code.let('i32', start);
    if (queries && step)
      code.set(pointer, code.op('i32.add', code.op('i32.mul', of(queries), step), pointer));
    indices.forEach((index, i) => {
      const one = of(index);
      // Unsigned, so that what lies before is far outside too.
      code.set(inside, code.op('i32.and', code.op('i32.lt_u', one, sizes[i] as Int), inside));
      code.set(pointer, code.op('i32.add', code.op('i32.mul', one, steps[i] as Int), pointer));
    });
    code.if(inside, () => {
      const one = code.let('f32', code.lane('f32x4.extract_lane', lane % 4, s.vector(lanes, lane >> 2)));
      addOne(site, one, pointer);
    });
  }
}

/** Adds the sums that were kept for 8 queries to where they gather. */
export function flush(site: Site, writer: ExpressionWriter, targets: readonly Target[]): void {
  const { code, layout, sub } = site;
  const left = subWord(site, 'left');
  const query = subWord(site, 'query');
  for (const target of targets) {
    if (!target.kept) continue;
    const step = strideOn(site, target.gathered, AXIS.query);
    eachPlace(site, writer, target.sizes, (at, flat) => {
      const from = scaled(site, sub, flat, LINE);
      const offset = layout.sub.at(`kept:${target.name}`);
      const lanes: Lanes = [0, 16].map((more) =>
        code.let('v128', code.load('v128.load', from, offset + more)),
      );
      const start = ownPlace(site, target, at);
      if (target.side === 'shared') {
        addSum(site, lanes, start);
        return;
      }
      const pointer = scaled(site, start, query, step);
      code.block((end) => {
        for (let lane = 0; lane < 8; lane++) {
          code.branchIf(end, code.op('i32.le_s', left, lane));
          const one = code.lane('f32x4.extract_lane', lane % 4, lanes[lane >> 2] as Vector);
          addOne(site, code.let('f32', one), pointer);
          code.set(pointer, code.op('i32.add', pointer, step));
        }
      });
    });
  }
}

/** Where a number of a target lies for the unit's batch and head. */
function ownPlace(site: Site, { gathered, input }: Target, at: readonly Position[]): Int {
  const own = FIRST_OWN + input.type.lookups;
  let start = unitWord(site, `base:${gathered}`);
  at.forEach((position, axis) => {
    start = scaled(site, start, position, strideOn(site, gathered, own + axis));
  });
  return start;
}

function addSum(site: Site, lanes: Lanes, to: Int): void {
  const { code } = site;
  const [a, b] = simd(site, 2).variables(lanes) as [Vector, Vector];
  const four = code.let('v128', code.op('f32x4.add', a, b));
  const two = code.let(
    'v128',
    code.op('f32x4.add', four, code.let('v128', code.shuffle([2, 3, 0, 1], four, four))),
  );
  const one = code.let(
    'v128',
    code.op('f32x4.add', two, code.let('v128', code.shuffle([1, 0, 3, 2], two, two))),
  );
  addOne(site, code.let('f32', code.lane('f32x4.extract_lane', 0, one)), to);
}

function addOne(
  { code }: Site,
  value: ReturnType<Site['code']['local']> & { readonly type: 'f32' },
  to: Int,
): void {
  const sum = code.let('f32', code.op('f32.add', code.load('f32.load', to), value));
  code.access('f32.store', 0, to, sum);
}
