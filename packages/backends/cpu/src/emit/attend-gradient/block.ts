// A block of keys against a block of queries by tiles. For each 8 queries: scores as the attention computes them, the
// products of values and the gradient of context, and from both, row after row, the tiles of what pairs give; then matrix
// products of these tiles with rows of keys and of queries.

import { asExpr, type Node } from '@heed/expr';
import { writeAccumulate } from '../attend/context-kernel.ts';
import { isLiteral } from '../attend/formula.ts';
import { countUses, FusedWriter } from '../attend/fused.ts';
import { withUnion } from '../attend/joint.ts';
import { BLOCK, LINE } from '../attend/layout.ts';
import { eachRow, type Rows, tileOf } from '../attend/pairs.ts';
import { writeProducts } from '../attend/product-kernel.ts';
import {
  AXIS,
  add,
  type Int,
  type Kernel,
  routine,
  type Site,
  scaled,
  strideOn,
  subLanes,
  subWord,
  unitWord,
} from '../attend/site.ts';
import type { Lanes } from '../simd.ts';
import type { Callee } from '../wasm/index.ts';
import type { GradientDesign } from './design.ts';
import { hasExcess, stageOf } from './excess.ts';
import { SUBS } from './layout.ts';
import { TILE, writeOuter } from './outer-kernel.ts';
import { addOwnKeys, addOwnQueries } from './own.ts';
import { weightsAt } from './pair.ts';
import type { Tiling } from './products.ts';
import { eachPlace, put } from './put.ts';
import { setVectors } from './rows.ts';

/** Where a tile of the record's coefficients lies. */
export const coefficientsAt = (site: Site, tile: number): Int =>
  add(site, subWord(site, 'coefficients'), tile * SUBS * TILE);

/**
 * up(): products of the gradient of context and the values of the rows of the block that any of the records abreast sees;
 * null where no gradient of context is given.
 */
export function writeUp(kernel: Kernel, gradient: GradientDesign): Callee | null {
  const { program, width } = gradient;
  if (!program.upstream.context) return null;
  const products = writeProducts(kernel.writer, width, kernel.abreast);
  return routine(kernel, [], (site) =>
    withUnion(site, program.of.value, ({ records, from, keys, step, rows }) => {
      const upstream = records.map(({ sub }) => add(site, sub, site.layout.sub.at('upstream')));
      const tiles = records.map((record) => scaled(site, subWord(record, 'up'), from, LINE));
      site.code.call(products, keys, step, rows, ...upstream, ...tiles);
    }),
  );
}

/** What is known of rows of the tile before they give anything away. */
interface Seen {
  readonly rows: Rows;
  readonly allowed: Lanes;
  readonly up: () => Lanes;
  write(node: Node): Lanes;
  readonly writer: FusedWriter;
}

/** Visits the record's rows of the block: those of which only some pairs are allowed, and the others without a mask. */
function eachSeen(
  kernel: Kernel,
  gradient: GradientDesign,
  nodes: readonly Node[],
  group: 1 | 2,
  give: (site: Site, seen: Seen) => void,
): Callee {
  const { program } = gradient;
  const uses = countUses(nodes);
  const visit = (masked: boolean): Callee =>
    routine(kernel, ['i32', 'i32'], (site, first, end) => {
      const [scores, hidden] = [tileOf(site), tileOf(site, 'allowed')];
      const up = subWord(site, 'up');
      const alike = (name: string): Lanes => Array.from({ length: group }, () => subLanes(site, name)).flat();
      eachRow(site, first, end, group, (rows) => {
        const { s } = rows;
        const score = rows.load(scores);
        const given = stageOf(gradient, s, () => score, alike);
        const writer = new FusedWriter(s, rows.source(given), site.design.program.sizes, uses);
        const valid = alike('valid');
        const allUp = (): Lanes => {
          const ofContext = program.upstream.context ? rows.load(up) : s.zero();
          if (!program.upstream.weights) return s.variables(ofContext);
          return s.op('f32x4.add', ofContext, weightsAt(site, gradient, rows.keys[0] as Int));
        };
        give(site, {
          rows,
          allowed: s.variables(masked ? s.op('v128.and', valid, rows.load(hidden)) : valid),
          up: allUp,
          write: (node) => s.variables(writer.write(asExpr(node))[0] as Lanes),
          writer,
        });
      });
    });
  const [plain, masked] = [visit(false), kernel.design.formulas.mask ? visit(true) : null];
  return routine(kernel, [], (site) => {
    const { code } = site;
    const [from, to] = [subWord(site, 'from'), subWord(site, 'to')];
    if (!masked) {
      code.call(plain, site.frame, site.unit, site.sub, from, to);
      return;
    }
    const [head, tail] = [subWord(site, 'head'), subWord(site, 'tail')];
    code.call(masked, site.frame, site.unit, site.sub, from, head);
    code.call(plain, site.frame, site.unit, site.sub, head, tail);
    code.call(masked, site.frame, site.unit, site.sub, tail, to);
  });
}

const factorOf = (node: Node): Node | null => (isLiteral(node, 1) ? null : node);

/** sums(): adds the rows' shares of what all pairs of a query share: of B alone where rho is known from the context. */
export function writeSumsOfRows(kernel: Kernel, gradient: GradientDesign, tiling: Tiling): Callee | null {
  const { byLevel } = tiling;
  if (!byLevel || !(gradient.sums === 'sweep' || hasExcess(gradient))) return null;
  const reweight = factorOf(tiling.reweight);
  return eachSeen(kernel, gradient, [byLevel, ...(reweight ? [reweight] : [])], 1, (site, seen) => {
    const { rows, allowed, up, write } = seen;
    const { s } = rows;
    const b = write(byLevel);
    setVectors(site, 'sumB', s.op('f32x4.add', subLanes(site, 'sumB'), s.op('v128.and', b, allowed)));
    if (gradient.sums !== 'sweep') return;
    const g = reweight ? s.op('f32x4.mul', write(reweight), up()) : up();
    const both = s.op('f32x4.mul', g, b);
    setVectors(site, 'sumGB', s.op('f32x4.add', subLanes(site, 'sumGB'), s.op('v128.and', both, allowed)));
  });
}

/** rows(): fills the tiles of coefficients, and gives what is no product at once. */
export function writeRows(kernel: Kernel, gradient: GradientDesign, tiling: Tiling): Callee {
  const { coefficients, values, rest, weight, slope } = tiling;
  const reweight = factorOf(tiling.reweight);
  const nodes = [
    weight,
    ...[reweight, slope, ...coefficients].filter((one) => one !== null),
    ...rest.flatMap(({ value, indices }) => [value, ...indices]),
  ];
  const group = rest.length === 0 && !gradient.program.upstream.weights ? 2 : 1;
  const fill = eachSeen(kernel, gradient, nodes, group, (site, seen) => {
    const { rows, allowed, write, writer } = seen;
    const { s } = rows;
    const up = seen.up();
    const ofWeight = write(weight);
    const factor = reweight && write(reweight);
    const g = factor ? s.op('f32x4.mul', factor, up) : up;
    const rho = Array.from({ length: group }, () => subLanes(site, 'rho')).flat();
    const away = gradient.sums === 'none' ? g : s.op('f32x4.sub', g, rho);
    const ofScore = slope && s.op('f32x4.mul', write(slope), away);
    coefficients.forEach((coefficient, tile) => {
      const all = coefficient ? s.op('f32x4.mul', ofScore as Lanes, write(coefficient)) : (ofScore as Lanes);
      rows.store(coefficientsAt(site, tile), s.variables(s.op('v128.and', all, allowed)));
    });
    if (values >= 0) {
      const taken = factor ? s.op('f32x4.mul', ofWeight, factor) : ofWeight;
      rows.store(coefficientsAt(site, values), s.variables(s.op('v128.and', taken, allowed)));
    }
    const factors = { weight: away, reweight: s.op('f32x4.mul', ofWeight, up), score: ofScore, sink: null };
    for (const { stage, target, value, indices } of rest) {
      const by = factors[stage];
      if (!by) continue;
      const place = { key: rows.keys[0] as Int, allowed, indices: indices.map(write) };
      eachPlace(site, writer, target.sizes, (at, flat) => {
        const lanes = s.op('f32x4.mul', by, writer.part(value, at));
        put(site, target, s.op('v128.and', lanes, allowed), at, flat, place);
      });
    }
  });
  return routine(kernel, [], (site) => {
    const { code } = site;
    code.call(fill, site.frame, site.unit, site.sub);
    for (let tile = 0; tile < tiling.tiles; tile++) {
      // Rows that the record does not see, or that a last pair of rows reached into, give nothing.
      clearRows(site, tile, code.let('i32', 0), subWord(site, 'from'));
      clearRows(site, tile, subWord(site, 'to'), code.let('i32', BLOCK + 1));
    }
  });
}

/** empty(): tiles of a record that sees nothing of the block. */
export const writeNothing = (kernel: Kernel, tiling: Tiling): Callee =>
  routine(kernel, [], (site) => {
    for (let tile = 0; tile < tiling.tiles; tile++)
      clearRows(site, tile, site.code.let('i32', 0), site.code.let('i32', BLOCK));
  });

function clearRows(site: Site, tile: number, from: Int, to: Int): void {
  const { code } = site;
  code.if(code.op('i32.lt_s', from, to), () => {
    const bytes = code.let('i32', code.op('i32.shl', code.op('i32.sub', to, from), 5));
    code.fill(scaled(site, coefficientsAt(site, tile), from, LINE), 0, bytes);
  });
}

/**
 * toQueries(): adds the products of the records abreast with rows of keys to their sums. Where a record does not see a row
 * its coefficients are zero, and rows are finite.
 */
export function writeToQueries(kernel: Kernel, tiling: Tiling): Callee {
  const products = tiling.products.filter(({ target, own }) => target.side === 'query' && !own);
  const kernels = products.map(({ target }) => writeAccumulate(kernel.writer, target.width, kernel.abreast));
  return routine(kernel, [], (site) => {
    const { code, layout } = site;
    products.forEach(({ target, row, tile }, i) => {
      withUnion(site, row, ({ records, from, keys, step, rows }) => {
        const weights = records.map((record) => scaled(site, coefficientsAt(record, tile), from, LINE));
        const sums = records.map(({ sub }) => add(site, sub, layout.sub.at(`kept:${target.name}`)));
        const nothing = records.map(() => code.let('i32', 0));
        code.call(kernels[i] as Callee, keys, step, rows, ...weights, ...sums, ...nothing);
      });
    });
  });
}

/** ownQueries(): adds the record's rows, multiplied by the sums of their coefficients, to its sums. */
export function writeOwnQueries(kernel: Kernel, tiling: Tiling): Callee | null {
  const products = tiling.products.filter(({ target, own }) => target.side === 'query' && own);
  if (products.length === 0) return null;
  return routine(kernel, [], (site) => {
    const { code, layout, sub } = site;
    const [from, to] = [subWord(site, 'from'), subWord(site, 'to')];
    for (const { target, row, tile, negative } of products) {
      const weights = scaled(site, coefficientsAt(site, tile), from, LINE);
      const rows = code.let('i32', code.op('i32.sub', to, from));
      const queries = add(site, sub, layout.sub.at(`queries:${row}`));
      const sums = add(site, sub, layout.sub.at(`kept:${target.name}`));
      addOwnQueries(site, weights, rows, queries, sums, target.width, negative);
    }
  });
}

/** toKeys(): adds the products of the block with rows of queries to where they gather. */
export function writeToKeys(kernel: Kernel, tiling: Tiling): Callee {
  const products = tiling.products.filter(({ target }) => target.side === 'key');
  const kernels = products.map(({ target, own }) => (own ? null : writeOuter(kernel.writer, target.width)));
  return routine(kernel, [], (site) => {
    const { code, layout, unit } = site;
    const [block, count, subs] = [unitWord(site, 'block'), unitWord(site, 'count'), unitWord(site, 'subs')];
    products.forEach(({ target, row, tile, negative }, i) => {
      const step = strideOn(site, target.gathered, AXIS.key);
      const out = scaled(site, unitWord(site, `base:${target.gathered}`), block, step);
      const weights = add(site, unit, layout.unit.at('coefficients') + tile * SUBS * TILE);
      const outer = kernels[i];
      if (!outer) {
        const own = [unitWord(site, `row:${row}`), unitWord(site, `step:${row}`)] as const;
        addOwnKeys(site, { weights, subs, count }, own, [out, step], target.width, negative);
        return;
      }
      const from = add(site, unit, layout.unit.at(`rows:${row}`));
      code.call(outer, weights, subs, from, out, step, count, add(site, unit, layout.unit.at('spare')));
    });
  });
}
