// What 8 queries need before the loop over keys: their rows with queries as lanes, and what is known of each alone.

import { asExpr, type Expr, type Node } from '@heed/expr';
import type { AttendInput } from '@heed/tensor';
import { type Cursor, load } from '../access.ts';
import { ExpressionWriter } from '../expression.ts';
import type { Lanes } from '../simd.ts';
import { dtypeOf, LINE, sideOf, sizeIn, termsOf, widthOf } from './layout.ts';
import {
  AXIS,
  add,
  each,
  FIRST_OWN,
  type Int,
  type Site,
  scaled,
  setSub,
  setSubLanes,
  simd,
  storeLanes,
  strideOn,
  subWord,
  unitWord,
  type Vector,
} from './site.ts';
import { TileSource } from './source.ts';
import { rowsOf, writeToLanes } from './transpose.ts';

/** Numbers a record's lanes by their queries; lanes behind the last query are the last again. */
export function writeNumbers(site: Site): void {
  const { code } = site;
  const s = simd(site, 2);
  const query = subWord(site, 'query');
  const last = code.let('i32', code.op('i32.add', add(site, query, -1), subWord(site, 'left')));
  const ascending: Lanes = [...s.ints([0, 1, 2, 3]), ...s.ints([4, 5, 6, 7])];
  setSubLanes(
    site,
    'queries',
    s.op('i32x4.min_s', s.op('i32x4.add', ascending, s.splatInt(query)), s.splatInt(last)),
  );
}

/** Packs every input that varies along queries: [number][8 queries]. */
export function writeQueryRows(site: Site): void {
  const { layout } = site;
  for (const name of layout.operands.queries)
    writeLanes(site, name, layout.sub.at(`queries:${name}`), (lanes) => lanes);
}

/** Packs the queries of matrix products, multiplied by what their score is multiplied by. */
export function writeProductRows(site: Site, unitOfScores: number): void {
  const { layout, design } = site;
  const s = simd(site, 2);
  for (const { name, product } of termsOf(design.formulas)) {
    if (!product) continue;
    const factor = factorOf(site, unitOfScores);
    writeLanes(site, product.query, layout.sub.at(`product:${name}`), (lanes) =>
      factor ? s.op('f32x4.mul', lanes, factor) : lanes,
    );
  }
}

/** Packs an input at an offset of the record. */
function writeLanes(site: Site, name: string, offset: number, change: (lanes: Lanes) => Lanes): void {
  const { code, design, steps, sub } = site;
  const { type, dtype } = design.program.inputs[name] as AttendInput;
  const s = simd(site, 2);
  const to = add(site, sub, offset);
  if (type.dims.length === 1 && dtype === 'float32' && steps[`${name}:features`] === 'unit') {
    const stride = strideOn(site, name, AXIS.query);
    const first = scaled(site, unitWord(site, `base:${name}`), subWord(site, 'query'), stride);
    writeToLanes(site, rowsOf(site, first, stride, null), widthOf(design.program, name), to, change);
    return;
  }
  eachNumber(site, name, (cursor, left) => {
    storeLanes(site, to, 0, s.variables(change(load(s, cursor, left))) as readonly Vector[]);
    code.set(to, code.op('i32.add', to, LINE));
  });
}

/** What queries are multiplied by: the scale of the score, and the unit that scores are counted in. */
function factorOf(site: Site, unitOfScores: number): Lanes | null {
  const s = simd(site, 2);
  const { scaled: scale } = site.design;
  if (!scale) return null;
  const unit = s.variables(s.float(scale.by === 'negative' ? -unitOfScores : unitOfScores));
  if (!scale.factor) return scale.by === 'itself' && unitOfScores === 1 ? null : unit;
  const [value] = new ExpressionWriter(
    s,
    new TileSource(site, { rows: [] }),
    site.design.program.sizes,
  ).write(asExpr(scale.factor));
  return s.op(scale.by === 'quotient' ? 'f32x4.div' : 'f32x4.mul', unit, value as Lanes);
}

/** Visits the numbers of an input's rows, row-major, with a cursor over the queries at each. */
function eachNumber(site: Site, name: string, visit: (cursor: Cursor, left: Int) => void): void {
  const { code, design } = site;
  const { type } = design.program.inputs[name] as AttendInput;
  const dtype = dtypeOf(design.program, name);
  const stride = strideOn(site, name, AXIS.query);
  const left = subWord(site, 'left');
  const start = scaled(site, unitWord(site, `base:${name}`), subWord(site, 'query'), stride);
  const sizes = type.dims.map((dim) => sizeIn(design.program, dim));
  const go = (axis: number, from: Int): void => {
    const size = sizes[axis];
    if (size === undefined) {
      visit({ dtype, step: 'any', pointer: from, stride }, left);
      return;
    }
    const pointer = code.let('i32', from);
    const step = strideOn(site, name, FIRST_OWN + axis);
    each(site, 0, size, 1, () => {
      go(axis + 1, pointer);
      code.set(pointer, code.op('i32.add', pointer, step));
    });
  };
  go(0, start);
}

/** Computes what varies along no key, once for each query. */
export function writeConstants(site: Site): void {
  const { design, layout, sub } = site;
  const { constants } = design.formulas;
  if (constants.length === 0) return;
  const s = simd(site, 2);
  const writer = new ExpressionWriter(s, new TileSource(site, { rows: [] }), design.program.sizes);
  for (const { name, node } of constants) {
    const [lanes] = writer.write(asExpr(node));
    storeLanes(site, sub, layout.sub.at(`constant:${name}`), s.variables(lanes as Lanes));
  }
}

/** The lanes of a formula that varies along no key. */
export const ofQueries = (
  site: Site,
  node: Node,
  given: ConstructorParameters<typeof TileSource>[2] = new Map(),
): Lanes => {
  const s = simd(site, 2);
  const source = new TileSource(site, { rows: [] }, given);
  return s.variables(
    new ExpressionWriter(s, source, site.design.program.sizes).write(asExpr(node) as Expr)[0] as Lanes,
  );
};

/** The rows along queries that the cheaper score reads, and whether its guards hold for these queries. */
export function writeCheaperQueries(site: Site): void {
  const { code, design, layout, sub } = site;
  const { cheaper } = design.formulas;
  if (!cheaper) return;
  const s = simd(site, 2);
  for (const { name, body, along } of cheaper.rows) {
    if (sideOf(along) !== 'query') continue;
    const to = add(site, sub, layout.sub.at(`queries:${name}`));
    const source = new TileSource(site, { rows: [] });
    const writer = new ExpressionWriter(s, source, design.program.sizes);
    const put = (lanes: Lanes): void => {
      storeLanes(site, to, 0, s.variables(lanes));
      code.set(to, code.op('i32.add', to, LINE));
    };
    if (body.type.dims.length === 0) put(writer.write(asExpr(body))[0] as Lanes);
    else {
      const size = sizeIn(design.program, body.type.dims[0] as string);
      if (size > 0) writer.each(size, (at) => put(writer.part(body, [at])));
    }
  }
  const good = s.variables(s.int(-1));
  for (const { input, limit } of cheaper.guards) {
    if (sideOf(design.program.inputs[input]?.along ?? []) !== 'query') continue;
    const from = add(site, sub, layout.sub.at(`queries:${input}`));
    each(site, 0, widthOf(design.program, input), 1, () => {
      const found: Lanes = [0, 16].map((offset) => code.let('v128', code.load('v128.load', from, offset)));
      s.assign(good, s.op('v128.and', good, s.op('f32x4.le', s.op('f32x4.abs', found), s.float(limit))));
      code.set(from, code.op('i32.add', from, LINE));
    });
  }
  const all = code.op(
    'i32x4.all_true',
    code.let('v128', code.op('v128.and', s.vector(good, 0), s.vector(good, 1))),
  );
  setSub(site, 'guard', code.let('i32', all));
}

/** Empties the context and the sums. */
export function writeEmpty(site: Site): void {
  const { code, design, layout, sub } = site;
  const s = simd(site, 2);
  const context = add(site, sub, layout.sub.at('context'));
  code.fill(context, 0, design.width * LINE);
  // Finite, so that a score of -infinity less this one is -infinity and weighs nothing.
  setSubLanes(site, 'maximum', s.float(-3.4028234663852886e38));
  for (const name of ['sum', 'count', 'alive', 'level']) setSubLanes(site, name, s.zero());
}
