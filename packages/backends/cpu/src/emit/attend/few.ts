// Few queries against many keys, as while decoding: keys and values are read once each, as fast as memory gives them.
//
// Each query is done on its own. Scores: lanes are features, 8 keys at a time. What else there is to a score: lanes are
// keys. Context: lanes are features again. Packing, bounds and results are those of 8 queries side by side.

import { asExpr, type Node } from '@heed/expr';
import type { StoredDType } from '../access.ts';
import { exp2 } from '../math/exponential.ts';
import type { Lanes, Simd } from '../simd.ts';
import type { Callee } from '../wasm/index.ts';
import { parted, togetherOf } from './features.ts';
import { writeContext } from './few-context.ts';
import { writeFewTerm } from './few-terms.ts';
import { countUses, FusedWriter } from './fused.ts';
import { KeySource, type Query } from './key-source.ts';
import { dtypeOf, LANES, LINE, paddedBytes, rowBytesOf, rowsOfFew, widthOf } from './layout.ts';
import {
  AXIS,
  add,
  call,
  each,
  type Int,
  type Kernel,
  least,
  loadLanes,
  most,
  routine,
  type Site,
  scaled,
  setSub,
  setUnit,
  simd,
  storeLanes,
  strideOn,
  subWord,
  unitWord,
  type Vector,
} from './site.ts';
import type { Given } from './source.ts';

/** spread(): rows of queries, and their empty contexts, with features side by side. */
export function writeSpread(kernel: Kernel): Callee {
  return routine(kernel, [], (site) => {
    const { code, design, layout, sub } = site;
    const { program, formulas, width } = design;
    const left = subWord(site, 'left');
    for (const name of rowsOfFew(formulas, layout.operands)) {
      const product = formulas.score.terms.find((term) => term.name === name)?.product;
      const packed = layout.sub.at(product ? `product:${name}` : `queries:${name}`);
      const row = add(site, sub, layout.sub.at(`rows:${name}`));
      const lane = add(site, sub, packed);
      const bytes = rowBytesOf(program, formulas, name);
      code.fill(row, 0, LANES * bytes);
      each(site, 0, left, 1, () => {
        const [from, to] = [code.let('i32', lane), code.let('i32', row)];
        each(site, 0, widthOf(program, product ? product.query : name), 1, () => {
          code.access('f32.store', 0, to, code.let('f32', code.load('f32.load', from)));
          code.set(from, code.op('i32.add', from, LINE));
          code.set(to, code.op('i32.add', to, 4));
        });
        if (product) writeParted(site, dtypeOf(program, product.key), widthOf(program, product.query), row);
        code.set(row, code.op('i32.add', row, bytes));
        code.set(lane, code.op('i32.add', lane, 4));
      });
    }
    const contexts = add(site, sub, layout.sub.at('contexts'));
    code.fill(contexts, 0, LANES * paddedBytes(width));
  });
}

/** Puts a row's features in the order in which those of keys of a dtype are loaded. */
function writeParted(site: Site, dtype: StoredDType, width: number, row: Int): void {
  if (togetherOf(dtype) === 1) return;
  const { code } = site;
  const at = code.let('i32', row);
  each(site, 0, width >> 3, 1, () => {
    storeLanes(site, at, 0, parted(simd(site, 1), loadLanes(site, at, 0)));
    code.set(at, code.op('i32.add', at, LINE));
  });
}

/** gather(): the queries' contexts as the lanes that results are written from. */
export function writeGathered(kernel: Kernel): Callee {
  return routine(kernel, [], (site) => {
    const { code, design, layout, sub } = site;
    const row = add(site, sub, layout.sub.at('contexts'));
    const lane = add(site, sub, layout.sub.at('context'));
    each(site, 0, subWord(site, 'left'), 1, () => {
      const [from, to] = [code.let('i32', row), code.let('i32', lane)];
      each(site, 0, design.width, 1, () => {
        code.access('f32.store', 0, to, code.let('f32', code.load('f32.load', from)));
        code.set(from, code.op('i32.add', from, 4));
        code.set(to, code.op('i32.add', to, LINE));
      });
      code.set(row, code.op('i32.add', row, paddedBytes(design.width)));
      code.set(lane, code.op('i32.add', lane, 4));
    });
  });
}

/** block(): all queries of the record against a block of keys. */
export function writeFewBlock(kernel: Kernel): Callee {
  const one = writeOne(kernel);
  return routine(kernel, [], (site) => {
    const { code, design, layout } = site;
    for (const name of new Set([...layout.operands.keys, design.program.value])) {
      const stride = strideOn(site, name, AXIS.key);
      setUnit(
        site,
        `row:${name}`,
        scaled(site, unitWord(site, `base:${name}`), unitWord(site, 'block'), stride),
      );
      setUnit(site, `step:${name}`, stride);
    }
    const [block, count] = [unitWord(site, 'block'), unitWord(site, 'count')];
    const relative = (word: string): Int => code.let('i32', code.op('i32.sub', subWord(site, word), block));
    const from = most(site, relative('low'), 0);
    const to = least(site, relative('high'), count);
    setSub(site, 'from', from);
    setSub(site, 'to', to);
    // Whether the mask's edge crosses the block.
    const inside = code.op(
      'i32.and',
      code.op('i32.le_s', relative('sureLow'), from),
      code.let('i32', code.op('i32.ge_s', relative('sureHigh'), to)),
    );
    setSub(site, 'head', code.let('i32', code.op('i32.eqz', inside)));
    code.if(code.op('i32.lt_s', from, to), () =>
      each(site, 0, subWord(site, 'left'), 1, (query) => call(site, one, query)),
    );
  });
}

/** one(query): one query against a block of keys. */
function writeOne(kernel: Kernel): Callee {
  return routine(kernel, ['i32'], (site, index) => {
    const { code, design, layout, unit } = site;
    const { formulas, by } = design;
    const query: Query = { index, lane: scaled(site, site.sub, index, 4) };
    const [from, to] = [subWord(site, 'from'), subWord(site, 'to')];
    const tile = subWord(site, 'tile');
    const allowed = subWord(site, 'allowed');
    for (const term of formulas.score.terms) {
      const out = design.scaled ? tile : add(site, unit, layout.unit.at(`term:${term.name}`));
      writeFewTerm(site, term, query, from, to, out);
    }
    const visit = (write: (s: Simd, at: Int, formula: (node: Node, given?: Given) => Lanes) => void): void =>
      eachGroup(site, query, from, to, write);
    if (!design.scaled)
      visit((s, at, formula) => storeAt(site, tile, at, s.variables(formula(formulas.score.rest))));
    const crosses = formulas.mask ? subWord(site, 'head') : null;
    if (crosses) {
      code.if(crosses, () =>
        visit((s, at, formula) => {
          const mask = s.variables(formula(formulas.mask as Node));
          storeAt(site, allowed, at, mask);
          storeAt(site, tile, at, s.select(mask, loadAt(site, tile, at), s.float(-Infinity)));
        }),
      );
    }
    const none = code.let('i32', 0);
    const decay = by === 'log-sum-exp' ? writeStep(site, query, from, to, tile) : none;
    if (by === 'log-sum-exp' && formulas.sink) writeAlive(site, query, from, to, allowed, crosses);
    const changes = by === 'none' || formulas.reweight;
    if (changes) {
      visit((s, at, formula) => {
        const before = loadAt(site, tile, at);
        const given: Given = new Map([['score', () => before]]);
        const weight = by === 'none' ? formula(formulas.weight, given) : before;
        const after = formulas.reweight ? s.op('f32x4.mul', weight, formula(formulas.reweight)) : weight;
        storeAt(site, tile, at, s.variables(after));
      });
    }
    const guard = code.let('i32', 0);
    if (crosses) code.set(guard, code.select('i32', code.get(allowed), code.i32(0), crosses));
    writeContext(site, { index, from, to, tile, decay, guard });
  });
}

const loadAt = ({ code, ...site }: Site, tile: Int, row: Int): Lanes => {
  const at = scaled({ code, ...site }, tile, row, 4);
  return [0, 16].map((offset) => code.let('v128', code.load('v128.load', at, offset)));
};
function storeAt(site: Site, tile: Int, row: Int, lanes: Lanes): void {
  const at = scaled(site, tile, row, 4);
  lanes.forEach((vector, i) => {
    site.code.access('v128.store', 16 * i, at, vector);
  });
}

/** Visits 8 keys at a time, the last ones with others behind them that count for nothing. */
function eachGroup(
  site: Site,
  query: Query,
  from: Int,
  to: Int,
  write: (s: Simd, row: Int, formula: (node: Node, given?: Given) => Lanes) => void,
): void {
  const { code, design } = site;
  const s = simd(site, 2);
  const block = unitWord(site, 'block');
  each(site, from, to, LANES, (row) => {
    const left = code.let('i32', code.op('i32.sub', to, row));
    const key = add(site, row, block);
    write(s, row, (node, given) => {
      const source = new KeySource(site, query, key, row, left, given);
      const writer = new FusedWriter(s, source, design.program.sizes, countUses([node]));
      return writer.write(asExpr(node))[0] as Lanes;
    });
  });
}

const turned = (s: Simd, lanes: readonly [number, number, number, number], of: Lanes): Lanes =>
  s.shuffle(lanes, of, of);

/** The same number in all lanes: of two vectors, all eight joined. */
function joined(s: Simd, [a, b]: Lanes, op: 'f32x4.pmax' | 'f32x4.add'): Lanes {
  const both = s.op(op, [a as Vector], [b as Vector]);
  const halves = s.op(op, both, turned(s, [2, 3, 0, 1], both));
  return s.op(op, halves, turned(s, [1, 0, 3, 2], halves));
}

/** One step of the streaming softmax for one query; leaves by how much its context shrinks at an address. */
function writeStep(site: Site, { lane }: Query, from: Int, to: Int, tile: Int): Int {
  const { code, design, layout } = site;
  const s = simd(site, 2);
  const one = simd(site, 1);
  storeAt(site, tile, to, s.variables(s.float(-Infinity)));
  const own = (name: string): Lanes => [
    code.let('v128', code.load('v128.load32_splat', lane, layout.sub.at(name))),
  ];
  const keep = (name: string, value: Lanes): void =>
    code.memoryLane('v128.store32_lane', layout.sub.at(name), 0, lane, s.vector(value, 0));
  const before = own('maximum');
  const largest = s.variables(before);
  each(site, from, to, LANES, (row) =>
    s.assign(largest, s.op('f32x4.pmax', largest, loadAt(site, tile, row))),
  );
  const maximum = joined(one, largest, 'f32x4.pmax');
  const inTwos = (of: Simd, lanes: Lanes): Lanes =>
    design.scaled ? lanes : of.op('f32x4.mul', lanes, of.float(Math.LOG2E));
  const decay = exp2(one, inTwos(one, one.op('f32x4.sub', before, maximum)));
  const sums = s.variables(s.zero());
  each(site, from, to, LANES, (row) => {
    const weights = exp2(s, inTwos(s, s.op('f32x4.sub', loadAt(site, tile, row), maximum)));
    storeAt(site, tile, row, s.variables(weights));
    s.assign(sums, s.op('f32x4.add', sums, weights));
  });
  keep('maximum', maximum);
  keep('decay', decay);
  keep('sum', one.op('f32x4.add', one.op('f32x4.mul', own('sum'), decay), joined(one, sums, 'f32x4.add')));
  return add(site, lane, layout.sub.at('decay'));
}

/** Whether any key was allowed, where a sink could give a row weight without one. */
function writeAlive(
  site: Site,
  { lane }: Query,
  from: Int,
  to: Int,
  allowed: Int,
  crosses: Int | null,
): void {
  const { code, layout } = site;
  const mark = (): void => code.access('i32.store', layout.sub.at('alive'), lane, -1);
  if (!crosses) {
    mark();
    return;
  }
  code.if(
    crosses,
    () =>
      each(site, from, to, 1, (row) => {
        const at = scaled(site, allowed, row, 4);
        code.if(code.load('i32.load', at), mark);
      }),
    mark,
  );
}
