// What 8 queries need before the gradient's loop over keys: their rows, their levels, what comes back to their contexts,
// and behind it the sums that all pairs of a row share.

import { asExpr, type Expr } from '@heed/expr';
import { type Cursor, load, type StoredDType } from '../access.ts';
import { LINE } from '../attend/layout.ts';
import { writeConstants, writeNumbers, writeQueryRows } from '../attend/pack-queries.ts';
import {
  AXIS,
  add,
  FIRST_OWN,
  type Int,
  loadLanes,
  type Site,
  scaled,
  setSubLanes,
  simd,
  storeLanes,
  strideOn,
  subLanes,
  subWord,
  unitWord,
  type Vector,
} from '../attend/site.ts';
import { TileSource } from '../attend/source.ts';
import { ExpressionWriter, type Position } from '../expression.ts';
import type { Lanes } from '../simd.ts';
import type { GradientDesign } from './design.ts';
import { clearExcess, hasExcess, stageOf, storeExcess } from './excess.ts';
import { eachPlace, put } from './put.ts';

export const setVectors = (site: Site, name: string, lanes: Lanes): void =>
  setSubLanes(site, name, simd(site, 2).variables(lanes) as readonly Vector[]);

/** Packs the record's rows and empties its sums. */
export function prepareRows(site: Site, gradient: GradientDesign): void {
  const { code, design, layout, sub } = site;
  const { program, targets, solved, sums } = gradient;
  const s = simd(site, 2);
  writeNumbers(site);
  writeQueryRows(site);
  writeConstants(site);
  const left = subWord(site, 'left');
  const lanes: Lanes = [...s.ints([0, 1, 2, 3]), ...s.ints([4, 5, 6, 7])];
  let valid = s.op('i32x4.lt_s', lanes, s.splatInt(left));
  if (solved) {
    const level = ofRows(site, 'level', 'float32');
    setVectors(site, 'level', level);
    valid = s.op('v128.and', valid, s.op('f32x4.ne', level, s.float(-Infinity)));
  }
  setVectors(site, 'valid', valid);
  if (hasExcess(gradient)) clearExcess(site, subLanes(site, 'valid'));
  for (const name of ['rho', 'sumB', 'sumGB']) setVectors(site, name, s.zero());
  const writer = new ExpressionWriter(s, new TileSource(site, { rows: [] }), design.program.sizes);
  if (program.upstream.context) {
    eachPlace(site, writer, gradient.features, (at, flat) => {
      const found = ofRows(site, 'grad$context', design.program.dtype as StoredDType, at);
      storeLanes(site, scaled(site, sub, flat, LINE), layout.sub.at('upstream'), found as readonly Vector[]);
    });
  }
  if (sums === 'context') sumFromContext(site, writer, gradient);
  for (const target of targets) {
    if (!target.kept) continue;
    code.fill(add(site, sub, layout.sub.at(`kept:${target.name}`)), 0, target.width * LINE);
  }
}

/** One number of a tensor along batches, heads and queries, for each query of the record. */
function ofRows(site: Site, name: string, dtype: StoredDType, at: readonly Position[] = []): Lanes {
  const stride = strideOn(site, name, AXIS.query);
  let pointer = scaled(site, unitWord(site, `base:${name}`), subWord(site, 'query'), stride);
  at.forEach((position, axis) => {
    pointer = scaled(site, pointer, position, strideOn(site, name, FIRST_OWN + axis));
  });
  const cursor: Cursor = { dtype, step: 'any', pointer, stride };
  return load(simd(site, 2), cursor, subWord(site, 'left'));
}

/** The gradient of context at a number, for each query. */
export const upstreamAt = (site: Site, flat: Int): Lanes =>
  loadLanes(site, scaled(site, site.sub, flat, LINE), site.layout.sub.at('upstream'));

/** Weights sum to one: the sum of g b is minus the gradient of context . context. */
function sumFromContext(site: Site, writer: ExpressionWriter, { program, features }: GradientDesign): void {
  const s = simd(site, 2);
  const sum = s.variables(s.zero());
  if (program.upstream.context) {
    eachPlace(site, writer, features, (at, flat) => {
      const context = ofRows(site, 'context', site.design.program.dtype as StoredDType, at);
      s.assign(sum, s.nmadd(upstreamAt(site, flat), context, sum));
    });
  }
  setVectors(site, 'sumGB', sum);
}

/** From the sums of the row to rho, and where its keys were gone through to what its level lacks. */
export function finishSums(site: Site, gradient: GradientDesign): void {
  const { program, sums } = gradient;
  const s = simd(site, 2);
  let sumGB: Lanes = subLanes(site, 'sumGB');
  if (program.upstream.level) sumGB = s.op('f32x4.add', sumGB, ofRows(site, 'grad$level', 'float32'));
  if (sums === 'context') setVectors(site, 'rho', s.op('f32x4.neg', sumGB));
  if (sums === 'sweep') {
    const sumB = sumOfSlopes(site, gradient);
    const rho = s.op('f32x4.div', sumGB, sumB);
    setVectors(site, 'rho', s.select(s.op('f32x4.ne', sumB, s.zero()), rho, s.zero()));
    if (hasExcess(gradient)) storeExcess(site, s.op('f32x4.neg', sumB));
  } else if (hasExcess(gradient)) {
    // Each weight falls with the level as fast as it is large.
    site.code.if(unitWord(site, 'large'), () =>
      storeExcess(site, s.op('f32x4.neg', sumOfSlopes(site, gradient))),
    );
  }
}

/** B: how fast the weights of a row change with its level, the sink's share included. */
function sumOfSlopes(site: Site, gradient: GradientDesign): Lanes {
  const { weightByLevel, of } = gradient.program;
  const sum = subLanes(site, 'sumB');
  if (!of.normalizer.sink || !weightByLevel) return sum;
  const { write } = sinkOf(site, gradient, of.normalizer.sink);
  return simd(site, 2).op('f32x4.add', sum, write(weightByLevel));
}

/** A writer of formulas at the score of the sink. */
function sinkOf(
  site: Site,
  gradient: GradientDesign,
  sink: Expr,
): { readonly writer: ExpressionWriter; write(root: Expr): Lanes } {
  const s = simd(site, 2);
  const { sizes } = site.design.program;
  const [score] = new ExpressionWriter(s, new TileSource(site, { rows: [] }), sizes).write(sink);
  const given = stageOf(
    gradient,
    s,
    () => score as Lanes,
    (name) => subLanes(site, name),
  );
  const writer = new ExpressionWriter(s, new TileSource(site, { rows: [] }, given), sizes);
  return { writer, write: (root) => s.variables(writer.write(root)[0] as Lanes) };
}

/** What the sink's key gives to the inputs that it reads. */
export function addSink(site: Site, gradient: GradientDesign): void {
  const { program, sink: parts } = gradient;
  const { sink } = program.of.normalizer;
  if (!sink || parts.length === 0) return;
  const s = simd(site, 2);
  const { writer, write } = sinkOf(site, gradient, sink);
  const allowed = subLanes(site, 'valid');
  const away = s.op('f32x4.neg', subLanes(site, 'rho'));
  const factors: Partial<Record<string, Lanes>> = {
    weight: away,
    ...(program.weightByScore ? { sink: s.op('f32x4.mul', away, write(program.weightByScore)) } : {}),
  };
  for (const { stage, target, value, indices } of parts) {
    const place = { key: null, allowed, indices: indices.map((index) => write(asExpr(index))) };
    eachPlace(site, writer, target.sizes, (at, flat) => {
      const lanes = s.op('f32x4.mul', factors[stage] as Lanes, writer.part(value, at));
      put(site, target, s.op('v128.and', lanes, allowed), at, flat, place);
    });
  }
}
