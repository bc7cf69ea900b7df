// Reductions over features for one query and 8 keys at a time: lanes are features, summed across at the end.

import type { Node } from '@heed/expr';
import { bytesOf } from '../geometry.ts';
import type { Lanes, Simd } from '../simd.ts';
import { type LoadFeatures, readFeatures, togetherOf } from './features.ts';
import type { Term } from './formula.ts';
import { countUses, FusedWriter } from './fused.ts';
import { FeatureSource, type Query } from './key-source.ts';
import { dtypeOf, rowBytesOf, sizeIn, widthOf } from './layout.ts';
import { add, each, type Int, type Site, scaled, simd, unitWord, type Vector } from './site.ts';

/** Keys at a time: as many sums, and room for what they are made of. */
const KEYS = 8;
/** Keys of a matrix product at a time, with two sums each: their rows' addresses fit the registers. */
const PRODUCT_KEYS = 4;
/** Features of a matrix product whose instructions stand one behind the other. */
const STRETCH = 64;

/** Writes a term's numbers for the rows [from, to) of the block, one float each; up to 7 more behind. */
export function writeFewTerm(site: Site, term: Term, query: Query, from: Int, to: Int, out: Int): void {
  if (term.product) {
    const { key } = term.product;
    readFeatures(site, key, from, to, (load) => writeProduct(site, term, key, query, from, to, out, load));
  } else writeFold(site, term, query, from, to, out);
}

/** Rows from one on; those behind the last are the last again. */
function rowsFrom(site: Site, row: Int, last: Int, count: number): Int[] {
  const { code } = site;
  return Array.from({ length: count }, (_, r) => {
    const at = add(site, row, r);
    code.set(at, code.select('i32', code.get(at), code.get(last), code.op('i32.lt_s', at, last)));
    return at;
  });
}

function writeProduct(
  site: Site,
  term: Term,
  key: string,
  query: Query,
  from: Int,
  to: Int,
  out: Int,
  load: LoadFeatures,
): void {
  const { code, design, layout, sub } = site;
  const s = simd(site, 1);
  const dtype = dtypeOf(design.program, key);
  const width = widthOf(design.program, key);
  const [base, step] = [unitWord(site, `row:${key}`), unitWord(site, `step:${key}`)];
  const last = add(site, to, -1);
  const rowBytes = rowBytesOf(design.program, design.formulas, term.name);
  const own = scaled(site, add(site, sub, layout.sub.at(`rows:${term.name}`)), query.index, rowBytes);
  each(site, from, to, PRODUCT_KEYS, (row) => {
    const keys = rowsFrom(site, row, last, PRODUCT_KEYS).map((at) => scaled(site, base, at, step));
    const queryRow = code.let('i32', own);
    const sums = keys.map(() => [code.let('v128', code.zero()), code.let('v128', code.zero())] as const);
    const stretch = (features: number): void => {
      for (let first = 0; first < features; ) {
        const count = features - first >= 8 ? togetherOf(dtype) : 1;
        const left = Array.from({ length: count }, (_, i) =>
          code.let('v128', code.load('v128.load', queryRow, (first + 4 * i) * 4)),
        );
        const rest = features - first;
        keys.forEach((pointer, r) => {
          const found = load(pointer, first, count);
          found.forEach((vector, i) => {
            // What lies behind the last feature is not the row's.
            const kept = rest < 4 ? s.op('v128.and', [vector], s.ints(insideOf(rest))) : [vector];
            takeIn(s, sums[r]?.[((first >> 2) + i) % 2] as Vector, [left[i] as Vector], kept);
          });
        });
        first += 4 * count;
      }
    };
    const stretches = Math.floor(width / STRETCH);
    const forward = (): void => {
      for (const pointer of keys) code.set(pointer, code.op('i32.add', pointer, STRETCH * bytesOf(dtype)));
      code.set(queryRow, code.op('i32.add', queryRow, STRETCH * 4));
    };
    if (stretches === 1) stretch(STRETCH);
    else {
      each(site, 0, stretches, 1, () => {
        stretch(STRETCH);
        forward();
      });
    }
    if (width % STRETCH > 0) {
      if (stretches === 1) forward();
      stretch(width % STRETCH);
    }
    const four = across(
      s,
      sums.map(([a, b]) => code.let('v128', code.op('f32x4.add', a, b))) as unknown as Four,
    );
    code.access('v128.store', 0, scaled(site, out, row, 4), s.vector(four, 0));
  });
}

const insideOf = (count: number): [number, number, number, number] =>
  [0, 1, 2, 3].map((lane) => (lane < count ? -1 : 0)) as [number, number, number, number];

function writeFold(site: Site, term: Term, query: Query, from: Int, to: Int, out: Int): void {
  const { code, design, layout } = site;
  const s = simd(site, 1);
  const uses = countUses([term.node as Node]);
  const reads = new Set([...uses.keys()].flatMap((node) => (node.op === 'input' ? [node.data.name] : [])));
  const bases = layout.operands.keys
    .filter((name) => reads.has(name))
    .map((name) => ({ name, base: unitWord(site, `row:${name}`), step: unitWord(site, `step:${name}`) }));
  const last = add(site, to, -1);
  const width = sizeIn(design.program, (term.node.args[0] as Node).type.dims[0] as string);
  each(site, from, to, KEYS, (row) => {
    const keys = rowsFrom(site, row, last, KEYS).map(
      (at) => new Map(bases.map(({ name, base, step }) => [name, scaled(site, base, at, step)] as const)),
    );
    const sums = keys.map(() => code.let('v128', code.zero()));
    const visit = (at: Int, mask: Lanes | null): void => {
      const shared = new Map<string, Lanes>();
      keys.forEach((rows, r) => {
        const source = new FeatureSource(site, query, rows, shared);
        const writer = new FusedWriter(s, source, design.program.sizes, uses);
        const part = (node: Node | undefined): Lanes =>
          writer.part(node as Node, (node as Node).type.dims.length === 0 ? [] : [at]);
        const kept = (lanes: Lanes): Lanes => (mask ? s.op('v128.and', lanes, mask) : lanes);
        const first = kept(part(term.node.args[0]));
        const sum = sums[r] as Vector;
        if (term.node.op === 'sum') code.set(sum, code.op('f32x4.add', sum, s.vector(first, 0)));
        else takeIn(s, sum, first, term.node.op === 'norm' ? first : kept(part(term.node.args[1])));
      });
    };
    const whole = width & -4;
    each(site, 0, whole, 4, (at) => visit(at, null));
    if (whole < width) visit(code.let('i32', whole), s.ints(insideOf(width - whole)));
    const target = scaled(site, out, row, 4);
    for (const first of [0, 4]) {
      const four = across(s, sums.slice(first, first + 4) as unknown as Four);
      const done = term.node.op === 'norm' ? s.op('f32x4.sqrt', four) : four;
      code.access('v128.store', first * 4, target, s.vector(done, 0));
    }
  });
}

function takeIn(s: Simd, sum: Vector, a: Lanes, b: Lanes): void {
  s.code.set(sum, s.vector(s.madd(a, b, [sum]), 0));
}

type Four = readonly [Vector, Vector, Vector, Vector];

/** The sums of four vectors' lanes, one in each lane. */
function across(s: Simd, [a, b, c, d]: Four): Lanes {
  const pair = (x: Vector, y: Vector): Lanes =>
    s.op('f32x4.add', s.shuffle([0, 4, 1, 5], [x], [y]), s.shuffle([2, 6, 3, 7], [x], [y]));
  const [ab, cd] = [pair(a, b), pair(c, d)];
  return s.op('f32x4.add', s.shuffle([0, 1, 4, 5], ab, cd), s.shuffle([2, 3, 6, 7], ab, cd));
}
