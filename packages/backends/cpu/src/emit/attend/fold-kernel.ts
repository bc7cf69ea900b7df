// Reductions over the features of pairs, for a tile: a few keys by 8 queries at a time, one sum for each vector of queries.
//
// Rows of queries are vectors, those of keys broadcasts, as in a matrix product; what stands between them is the formula.
// A sum of quotients 1 / a of the cheaper score shares one division between two features: w/a + v/b = (w b + v a) / (a b).

import type { Node } from '@heed/expr';
import type { Position } from '../expression.ts';
import type { Lanes, Simd } from '../simd.ts';
import type { Callee } from '../wasm/index.ts';
import { isLiteral, isScalar, type Reduction, readsOf, type Term } from './formula.ts';
import { countUses, FusedWriter } from './fused.ts';
import { LINE, sideOf, sizeIn } from './layout.ts';
import {
  add,
  each,
  type Int,
  type Kernel,
  routine,
  type Site,
  scaled,
  simd,
  storeLanes,
  unitWord,
  type Vector,
} from './site.ts';
import { TileSource } from './source.ts';

/** fold(first row, last row): writes the numbers of a term for the rows [first, last) of the block. */
export function writeFold(kernel: Kernel, term: Term, shares: boolean): Callee {
  return routine(kernel, ['i32', 'i32'], (site, first, end) => {
    const plan = planOf(term, shares);
    const rowsAtOnce = plan.quotient ? 2 : isSimple(plan) ? 4 : 1;
    const { code } = site;
    const block = unitWord(site, 'block');
    const last = add(site, end, -1);
    const names = rowNames(site, term.node);
    const bases = new Map(names.map((name) => [name, rowBase(site, name)] as const));
    each(site, first, end, rowsAtOnce, (row) => {
      const keys = Array.from({ length: rowsAtOnce }, (_, r) => {
        const own = code.let('i32', r === 0 ? row : code.op('i32.add', row, r));
        // Rows behind the last are the last again; what comes of them goes to padding.
        if (r > 0)
          code.set(own, code.select('i32', code.get(own), code.get(last), code.op('i32.lt_s', own, last)));
        return own;
      });
      const tiles = keys.map((own, r) => {
        const line = scaled(site, site.unit, own, LINE);
        const rows = new Map(
          [...bases].map(([name, { base, step }]) => [name, [scaled(site, base, own, step)]] as const),
        );
        const key = add(site, block, own);
        const source = new TileSource(site, { rows: [{ key, line }] }, new Map(), rows);
        return { source, sum: simd(site, 2).variables(beginning(simd(site, 2), term.node)), r };
      });
      writeLoop(site, plan, tiles);
      const out = scaled(site, site.unit, row, LINE);
      const s = simd(site, 2);
      for (const { sum, r } of tiles) {
        const done = term.node.op === 'norm' ? s.op('f32x4.sqrt', sum) : sum;
        storeLanes(site, out, site.layout.unit.at(`term:${term.name}`) + r * LINE, done as readonly Vector[]);
      }
    });
  });
}

interface Tile {
  readonly source: TileSource;
  readonly sum: Lanes;
}

interface Plan {
  readonly node: Reduction;
  /** What is added, for each feature: a * b, or a alone. */
  readonly factors: readonly Node[];
  /** Where the sum is of w / a: both, w null for one. */
  readonly quotient: { readonly weight: Node | null; readonly divisor: Node } | null;
  readonly uses: ReadonlyMap<Node, number>;
}

function planOf({ node }: Term, shares: boolean): Plan {
  const factors = node.args;
  const uses = countUses([node as Node]);
  const plain: Plan = { node, factors, quotient: null, uses };
  if (!shares) return plain;
  const inverse = (one: Node | undefined): Node | null =>
    one?.op === 'div' && isLiteral(one.args[0] as Node, 1) ? (one.args[1] as Node) : null;
  if (node.op === 'sum') {
    const divisor = inverse(factors[0]);
    return divisor ? { ...plain, quotient: { weight: null, divisor } } : plain;
  }
  if (node.op !== 'dot') return plain;
  const [a, b] = factors as readonly [Node, Node];
  const [first, second] = [inverse(a), inverse(b)];
  if (second) return { ...plain, quotient: { weight: a, divisor: second } };
  return first ? { ...plain, quotient: { weight: b, divisor: first } } : plain;
}

/** Few instructions for each feature, so that many keys at a time are worth the registers. */
const isSimple = ({ uses, node }: Plan): boolean =>
  [...uses.keys()].every((one) => one === node || one.op === 'input' || simpleOps.has(one.op));
const simpleOps: ReadonlySet<string> = new Set([
  'sub',
  'add',
  'mul',
  'abs',
  'neg',
  'minimum',
  'maximum',
  'const',
]);

function beginning(s: Simd, { op }: Reduction): Lanes {
  return op === 'max' ? s.float(-Infinity) : op === 'min' ? s.float(Infinity) : s.zero();
}

/** The key rows that a formula reads row by row. */
function rowNames(site: Site, node: Reduction): string[] {
  const { operands } = site.layout;
  const rows = site.design.formulas.cheaper?.rows ?? [];
  const made = rows.filter(({ along }) => sideOf(along) === 'key').map(({ name }) => name);
  const read = readsOf(node as Node);
  return [...operands.keys, ...made].filter((name) => read.has(name));
}

/** Where row 0 of the block lies, and how far apart rows are. */
export function rowBase(site: Site, name: string): { base: Int; step: Int | number } {
  const { design, layout, unit } = site;
  const made = design.formulas.cheaper?.rows.find((row) => row.name === name);
  if (!made) return { base: unitWord(site, `row:${name}`), step: unitWord(site, `step:${name}`) };
  const numbers = made.body.type.dims.reduce((all, dim) => all * sizeIn(design.program, dim), 1);
  return { base: add(site, unit, layout.unit.at(`keys:${name}`)), step: numbers * 4 };
}

function writeLoop(site: Site, plan: Plan, tiles: readonly Tile[]): void {
  const { code, design } = site;
  const size = sizeIn(design.program, (plan.factors[0] as Node).type.dims[0] as string);
  const s = simd(site, 2);
  // Scalars of the pair are computed ahead of the loop, once for each key.
  const writers = tiles.map(({ source }) => {
    const writer = new FusedWriter(s, source, design.program.sizes, plan.uses);
    for (const node of plan.uses.keys())
      if (isScalar(node) && node.op !== 'const' && node !== (plan.node as Node)) writer.part(node, []);
    return writer;
  });
  const together = plan.quotient ? 2 : 1;
  // Where a feature takes few instructions, those of the loop itself are shared by several.
  const step = isSimple(plan) ? 4 : together;
  const whole = size - (size % step);
  const at = code.local('i32');
  /** Takes in the features from one on, so many. */
  const visit = (from: Position, count: number): void => {
    code.set(at, from);
    const positions = Array.from({ length: count }, (_, i) => (i === 0 ? at : add(site, at, i)));
    markPositions(site, tiles, positions);
    for (let first = 0; first < count; first += together) {
      const some = positions.slice(first, first + together);
      for (const { source } of tiles) source.forget();
      const shared = sharedLanes(site, plan, tiles, some);
      tiles.forEach((tile, r) => {
        for (const { name, position, lanes } of shared) tile.source.remember(name, position, lanes);
        const writer = writers[r] as FusedWriter;
        writer.scoped(() => takeIn(s, plan, writer, tile.sum, some));
      });
    }
  };
  each(site, 0, whole, step, (here) => visit(here, step));
  if (whole < size) visit(code.let('i32', whole), size - whole);
}

/** Keeps the bytes that a position stands for in variables, for all rows of the tile. */
function markPositions(site: Site, tiles: readonly Tile[], positions: readonly Position[]): void {
  const { code } = site;
  const [first] = positions as readonly [Position];
  for (const [width, bits] of [
    [4, 2],
    [LINE, 5],
  ] as const) {
    const bytes = code.let('i32', code.op('i32.shl', first, bits));
    for (const { source } of tiles)
      for (const [i, position] of positions.entries()) source.mark(position, width, bytes, i);
  }
}

/** Loads what does not vary along keys once for all keys of the tile. */
function sharedLanes(
  site: Site,
  plan: Plan,
  tiles: readonly Tile[],
  positions: readonly Position[],
): { name: string; position: Position; lanes: Lanes }[] {
  const { layout } = site;
  const { source } = tiles[0] as Tile;
  const found: { name: string; position: Position; lanes: Lanes }[] = [];
  for (const node of plan.uses.keys()) {
    if (node.op !== 'input' || node.type.dims.length !== 1) continue;
    const { name } = node.data;
    if (!layout.sub.has(`queries:${name}`) && !layout.unit.has(`shared:${name}`)) continue;
    for (const position of positions) found.push({ name, position, lanes: source.element(node, [position]) });
  }
  return found;
}

function takeIn(s: Simd, plan: Plan, writer: FusedWriter, sum: Lanes, positions: readonly Position[]): void {
  const { node, factors, quotient } = plan;
  const part = (one: Node, at: Position): Lanes => writer.part(one, isScalar(one) ? [] : [at]);
  const [first, second] = positions as readonly [Position, Position?];
  if (quotient) {
    const { weight, divisor } = quotient;
    const of = (at: Position): readonly [Lanes, Lanes] => [
      weight ? part(weight, at) : s.float(1),
      part(divisor, at),
    ];
    const [w, a] = of(first);
    if (!second) {
      s.assign(sum, s.op('f32x4.add', sum, s.op('f32x4.div', w, a)));
      return;
    }
    const [v, b] = of(second);
    const top = weight ? s.madd(v, a, s.op('f32x4.mul', w, b)) : s.op('f32x4.add', a, b);
    s.assign(sum, s.op('f32x4.add', sum, s.op('f32x4.div', top, s.op('f32x4.mul', a, b))));
    return;
  }
  const one = part(factors[0] as Node, first);
  if (node.op === 'dot') s.assign(sum, s.madd(one, part(factors[1] as Node, first), sum));
  else if (node.op === 'norm') s.assign(sum, s.madd(one, one, sum));
  else if (node.op === 'sum') s.assign(sum, s.op('f32x4.add', sum, one));
  else s.assign(sum, s.op(node.op === 'max' ? 'f32x4.max' : 'f32x4.min', sum, one));
}
