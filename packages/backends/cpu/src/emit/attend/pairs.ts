// Scores of 8 queries against a block of keys, and which of these pairs are allowed: row after row of the tile.

import { asExpr, type Node, reachable } from '@heed/expr';
import type { Lanes, Simd } from '../simd.ts';
import type { Callee } from '../wasm/index.ts';
import { rowBase, writeFold } from './fold-kernel.ts';
import type { Split, Term } from './formula.ts';
import { countUses, FusedWriter } from './fused.ts';
import { LINE, sideOf, widthOf } from './layout.ts';
import { writeProducts } from './product-kernel.ts';
import {
  add,
  call,
  each,
  type Int,
  type Kernel,
  least,
  routine,
  type Site,
  scaled,
  setSub,
  setSubLanes,
  simd,
  subLanes,
  subWord,
  unitWord,
  type Vector,
} from './site.ts';
import { type Given, TileSource } from './source.ts';

/** Where the block's row 0 lies in the record's tile of scores, and in that of what is allowed. */
export const tileOf = (site: Site, name: 'tile' | 'allowed' = 'tile'): Int => {
  const tile = subWord(site, name);
  // Where all keys are kept, the tile has a row for each.
  return site.design.whole ? scaled(site, tile, unitWord(site, 'block'), LINE) : tile;
};

/** One or two rows of a tile while a formula is written for them. */
export interface Rows {
  readonly s: Simd;
  /** The place of each row's key. */
  readonly keys: readonly Int[];
  readonly source: (given?: Given) => TileSource;
  /** The lanes that a pointer to the tile's row 0 and a row's place give. */
  readonly load: (from: Int) => Lanes;
  readonly store: (to: Int, lanes: Lanes) => void;
}

/** Visits the rows [from, to) of the block, `group` at a time; the last group may reach one row into the padding. */
export function eachRow(site: Site, from: Int, to: Int, group: 1 | 2, write: (rows: Rows) => void): void {
  const { code } = site;
  const block = unitWord(site, 'block');
  const last = add(site, to, -1);
  const made = madeRows(site);
  each(site, from, to, group, (row) => {
    const bytes = code.let('i32', code.op('i32.shl', row, 5));
    const line = add(site, site.unit, bytes);
    const places = Array.from({ length: group }, (_, r) => {
      const own = code.let('i32', r === 0 ? row : code.op('i32.add', row, r));
      if (r > 0)
        code.set(own, code.select('i32', code.get(own), code.get(last), code.op('i32.lt_s', own, last)));
      return { own, key: add(site, block, own), line: r === 0 ? line : add(site, line, r * LINE) };
    });
    const rows = new Map(
      made.map(
        ({ name, base, step }) => [name, places.map(({ own }) => scaled(site, base, own, step))] as const,
      ),
    );
    const s = simd(site, 2 * group);
    write({
      s,
      keys: places.map(({ key }) => key),
      source: (given) => new TileSource(site, { rows: places }, given, rows),
      load: (from) => {
        const pointer = add(site, from, bytes);
        return Array.from({ length: 2 * group }, (_, i) =>
          code.let('v128', code.load('v128.load', pointer, 16 * i)),
        );
      },
      store: (to, lanes) => {
        const pointer = add(site, to, bytes);
        for (let i = 0; i < 2 * group; i++) code.access('v128.store', 16 * i, pointer, s.vector(lanes, i));
      },
    });
  });
}

/** Scalars along keys that the cheaper score's rows hold. */
function madeRows(site: Site): { name: string; base: Int; step: Int | number }[] {
  const rows = site.design.formulas.cheaper?.rows ?? [];
  return rows
    .filter(({ along }) => sideOf(along) === 'key')
    .map(({ name }) => ({ name, ...rowBase(site, name) }));
}

/** The lanes of a formula at rows. */
export function writeFormula(site: Site, rows: Rows, node: Node, given?: Given): Lanes {
  const writer = new FusedWriter(rows.s, rows.source(given), site.design.program.sizes, countUses([node]));
  // Where there are loops, scalars are computed ahead of them; elsewhere each where it is needed.
  const loops = [...reachable([node])].some(({ type }) => type.dims.length > 0);
  return loops ? (writer.write(asExpr(node))[0] as Lanes) : writer.part(node, []);
}

/**
 * scores(): writes the scores of the record's rows of the block, masked where they cross the mask's edge. What records
 * abreast were given at once lies in the record's tile already.
 */
export function writeScores(kernel: Kernel): Callee {
  const { formulas } = kernel.design;
  const exact = writeSplit(kernel, formulas.score, false);
  const cheap = formulas.cheaper && writeSplit(kernel, formulas.cheaper.score, true);
  return routine(kernel, [], (site) => {
    const { code } = site;
    if (!cheap) call(site, exact);
    else {
      const good = code.op(
        'i32.and',
        subWord(site, 'guard'),
        code.let('i32', code.op('i32.and', unitWord(site, 'keyGuard'), unitWord(site, 'sharedGuard'))),
      );
      code.if(
        good,
        () => call(site, cheap),
        () => call(site, exact),
      );
    }
    if (formulas.mask) writeHiding(site);
    if (formulas.sink && kernel.design.by === 'log-sum-exp') writeAlive(site);
  });
}

/** Whether any key was allowed: a sink alone gives a row no level. */
function writeAlive(site: Site): void {
  const { code, design } = site;
  const [from, to, head, tail] = (['from', 'to', 'head', 'tail'] as const).map((word) =>
    subWord(site, word),
  ) as [Int, Int, Int, Int];
  const s = simd(site, 2);
  const alive = s.variables(subLanes(site, 'alive'));
  code.if(code.op('i32.lt_s', head, tail), () => s.assign(alive, s.int(-1)));
  if (design.formulas.mask) {
    const allowed = tileOf(site, 'allowed');
    for (const [first, end] of [
      [from, head],
      [tail, to],
    ] as const)
      eachRow(site, first, end, 1, ({ load }) => s.assign(alive, s.op('v128.or', alive, load(allowed))));
  }
  setSubLanes(site, 'alive', alive as readonly Vector[]);
}

/** Scores that are not allowed become -infinity, where rows are not allowed as a whole. */
function writeHiding(site: Site): void {
  const [from, to, head, tail] = (['from', 'to', 'head', 'tail'] as const).map((word) =>
    subWord(site, word),
  ) as [Int, Int, Int, Int];
  const [tile, allowed] = [tileOf(site), tileOf(site, 'allowed')];
  for (const [first, end] of [
    [from, head],
    [tail, to],
  ] as const) {
    eachRow(site, first, end, 1, ({ s, load, store }) =>
      store(tile, s.select(load(allowed), load(tile), s.float(-Infinity))),
    );
  }
}

/** One way to compute a score: its terms, tile by tile, then what is left. */
function writeSplit(kernel: Kernel, split: Split, shares: boolean): Callee {
  const folds = new Map(
    split.terms.filter(({ product }) => !product).map((term) => [term, writeFold(kernel, term, shares)]),
  );
  return routine(kernel, [], (site) => {
    const { design, layout, unit } = site;
    const [from, to] = [subWord(site, 'from'), subWord(site, 'to')];
    const tile = tileOf(site);
    const { joint } = site;
    for (const term of split.terms) {
      if (term === joint) continue;
      const fold = folds.get(term);
      if (fold) call(site, fold, from, to);
      else {
        const target = design.scaled ? tile : add(site, unit, layout.unit.at(`term:${term.name}`));
        writeProduct(site, term, from, to, scaled(site, target, from, LINE));
      }
    }
    if (design.scaled) return;
    eachRow(site, from, to, 2, (rows) => {
      const given: Given = new Map(joint ? [[joint.name, () => rows.load(tile)]] : []);
      rows.store(tile, writeFormula(site, rows, split.rest, given));
    });
  });
}

function writeProduct(site: Site, { name, product }: Term, from: Int, to: Int, out: Int): void {
  const { code, design, layout, sub, writer } = site;
  const { key, query } = product as NonNullable<Term['product']>;
  const products = writeProducts(writer, widthOf(design.program, query), 1);
  const step = unitWord(site, `step:${key}`);
  const keys = scaled(site, unitWord(site, `row:${key}`), from, step);
  const queries = add(site, sub, layout.sub.at(`product:${name}`));
  const rows = code.let('i32', code.op('i32.sub', to, from));
  code.call(products, keys, step, rows, queries, out);
}

/**
 * mask(first, last): writes what is allowed of the block's rows [first, last), and to `from` and `to` the first and one
 * behind the last row in which any pair is, or twice `first` where none is.
 */
export function writeMask(kernel: Kernel): Callee {
  return routine(kernel, ['i32', 'i32'], (site, first, end) => {
    const { code, design } = site;
    const allowed = tileOf(site, 'allowed');
    const [from, to] = [code.let('i32', end), code.let('i32', first)];
    const row = code.let('i32', first);
    // Two rows at a time: an edge is found to within one row. What is written behind the last row is written again.
    eachRow(site, first, end, 2, (rows) => {
      const lanes = rows.s.variables(writeFormula(site, rows, design.formulas.mask as Node));
      rows.store(allowed, lanes);
      const any = lanes.reduce<Vector>(
        (a, b) => code.let('v128', code.op('v128.or', a, b)),
        lanes[0] as Vector,
      );
      code.if(code.op('v128.any_true', any), () => {
        code.set(from, code.select('i32', code.get(from), code.get(row), code.op('i32.lt_s', from, row)));
        code.set(to, code.op('i32.add', row, 2));
      });
      code.set(row, code.op('i32.add', row, 2));
    });
    code.set(to, least(site, to, end));
    code.if(code.op('i32.eq', to, first), () => code.set(from, first));
    setSub(site, 'from', from);
    setSub(site, 'to', to);
  });
}
