// Gradients of pairwise scores, feature by feature: for each feature, over the keys of the block, what the score's change
// gives to the number of each query, of each key, and of what all share. Sums over keys stay in registers, those over
// queries are added up across lanes, two keys at a time.

import type { Node } from '@heed/expr';
import { rowBase } from '../attend/fold-kernel.ts';
import { isScalar, readsOf } from '../attend/formula.ts';
import { countUses, FusedWriter } from '../attend/fused.ts';
import { LINE, sideOf } from '../attend/layout.ts';
import {
  AXIS,
  add,
  call,
  each,
  type Int,
  type Kernel,
  loadLanes,
  routine,
  type Site,
  scaled,
  simd,
  storeLanes,
  strideOn,
  subWord,
  unitWord,
  type Vector,
} from '../attend/site.ts';
import { TileSource } from '../attend/source.ts';
import type { Position } from '../expression.ts';
import type { Lanes } from '../simd.ts';
import type { Callee } from '../wasm/index.ts';
import { coefficientsAt } from './block.ts';
import type { Target } from './design.ts';
import type { Folds, Tiling } from './products.ts';

/** folds(): what the record's rows of the block give, by the cheaper formulas where their guards hold. */
export function writeFolds(kernel: Kernel, { folds, change }: Tiling): Callee {
  const exact = folds.map((one) => writeFold(kernel, one, change, false));
  const cheap = folds.map((one) =>
    one.parts.every((part) => part.cheap) ? writeFold(kernel, one, change, true) : null,
  );
  return routine(kernel, [], (site) => {
    const { code } = site;
    const guarded = cheap.some((one) => one !== null);
    const shared = guarded
      ? code.op('i32.and', unitWord(site, 'keyGuard'), unitWord(site, 'sharedGuard'))
      : null;
    const good =
      shared && code.let('i32', code.op('i32.and', code.let('i32', shared), subWord(site, 'guard')));
    exact.forEach((callee, i) => {
      const other = cheap[i];
      if (!good || !other) call(site, callee);
      else
        code.if(
          good,
          () => call(site, other),
          () => call(site, callee),
        );
    });
  });
}

/** A part while its code is written: its sums over keys, where it has any. */
interface Open {
  readonly target: Target;
  readonly node: Node;
  readonly sums: Lanes | null;
}

function writeFold(kernel: Kernel, { size, parts }: Folds, change: number, cheap: boolean): Callee {
  const nodes = parts.map(({ value, cheap: other }) => (cheap ? (other as Node) : value));
  const uses = countUses(nodes);
  return routine(kernel, [], (site) => {
    const { code, layout, sub } = site;
    const s = simd(site, 2);
    const bases = keyRows(site, nodes);
    const gathered = parts.map(({ target }) => (target.side === 'key' ? keyPlace(site, target) : null));
    const tile = coefficientsAt(site, change);
    const at = code.local('i32');
    each(site, 0, size, 1, (feature) => {
      code.set(at, feature);
      const [bytes, line] = [
        code.let('i32', code.op('i32.shl', at, 2)),
        code.let('i32', code.op('i32.shl', at, 5)),
      ];
      const kept = add(site, sub, line);
      const open = parts.map(({ target }, i): Open => {
        const sums = target.kept ? loadLanes(site, kept, layout.sub.at(`kept:${target.name}`)) : null;
        return { target, node: nodes[i] as Node, sums: sums && s.variables(sums) };
      });
      const mark = (source: TileSource): void => {
        source.mark(at, 4, bytes, 0);
        source.mark(at, LINE, line, 0);
      };
      const still = stillLanes(site, nodes, at, mark);
      eachTwoKeys(site, bases, (rows, keys, own) => {
        const source = new TileSource(site, { rows: keys }, new Map(), rows);
        mark(source);
        for (const { name, lanes } of still) source.remember(name, at, lanes);
        const by = loadFour(site, scaled(site, tile, own, LINE));
        const writer = new FusedWriter(simd(site, 4), source, site.design.program.sizes, uses);
        give(
          site,
          open,
          by,
          cheap,
          (node) => writer.part(node, isScalar(node) ? [] : [at]),
          (i, lanes) => {
            const [place, step] = gathered[i] as readonly [Int, Int];
            addAcross(
              site,
              lanes,
              keys.map(({ row }) => add(site, scaled(site, place, row, step), bytes)),
            );
          },
        );
      });
      for (const { target, sums } of open)
        if (sums) storeLanes(site, kept, layout.sub.at(`kept:${target.name}`), sums as readonly Vector[]);
    });
  });
}

/** Multiplies each value with the change of the score, and adds it to where it belongs. */
function give(
  site: Site,
  open: readonly Open[],
  by: Lanes,
  bounded: boolean,
  value: (node: Node) => Lanes,
  toKeys: (part: number, lanes: Lanes) => void,
): void {
  const s = simd(site, 4);
  // What is not allowed has a change of exactly zero; its value may be anything unless the guards bound it.
  const some = bounded ? null : s.op('f32x4.ne', by, s.zero());
  const known = new Map<Node, Lanes>();
  open.forEach(({ node, sums }, i) => {
    if (sums && bounded) {
      const lanes = value(node);
      site.code.set(sums[0] as Vector, fused(site, by, lanes, sums, 0));
      site.code.set(sums[1] as Vector, fused(site, by, lanes, sums, 1));
      return;
    }
    let lanes = known.get(node);
    if (!lanes) {
      const whole = s.op('f32x4.mul', by, value(node));
      lanes = s.variables(some ? s.op('v128.and', whole, some) : whole);
      known.set(node, lanes);
    }
    if (!sums) {
      toKeys(i, lanes);
      return;
    }
    for (const half of [0, 1]) {
      const both = site.code.op('f32x4.add', lanes[half] as Vector, lanes[half + 2] as Vector);
      const sum = sums[half] as Vector;
      site.code.set(sum, site.code.op('f32x4.add', sum, site.code.let('v128', both)));
    }
  });
}

/** The sum of a half of the queries with the products of both keys. */
function fused(site: Site, by: Lanes, lanes: Lanes, sums: Lanes, half: number): Vector {
  const s = simd(site, 1);
  const of = (all: Lanes, i: number): Lanes => [(all.length === 1 ? all[0] : all[i]) as Vector];
  const first = s.madd(of(by, half), of(lanes, half), of(sums, half));
  return s.madd(of(by, half + 2), of(lanes, half + 2), first)[0] as Vector;
}

/** The rows of keys that formulas read: where the block's first lies, and how far apart they are. */
function keyRows(site: Site, nodes: readonly Node[]): ReadonlyMap<string, { base: Int; step: Int | number }> {
  const { design, layout } = site;
  const read = readsOf(...nodes);
  const made = (design.formulas.cheaper?.rows ?? []).filter(({ along }) => sideOf(along) === 'key');
  const names = [...layout.operands.keys, ...made.map(({ name }) => name)].filter((name) => read.has(name));
  return new Map(names.map((name) => [name, rowBase(site, name)]));
}

/** Where the gradient of the block's first key lies, and how far apart keys are. */
function keyPlace(site: Site, { gathered }: Target): readonly [Int, Int] {
  const step = strideOn(site, gathered, AXIS.key);
  return [scaled(site, unitWord(site, `base:${gathered}`), unitWord(site, 'block'), step), step];
}

/** What varies along no key, loaded once for all keys: two vectors of queries for each of two keys. */
function stillLanes(
  site: Site,
  nodes: readonly Node[],
  at: Position,
  mark: (source: TileSource) => void,
): { readonly name: string; readonly lanes: Lanes }[] {
  const { layout } = site;
  const source = new TileSource(site, { rows: [] });
  mark(source);
  const found = new Map<string, Lanes>();
  const seen = new Set<Node>();
  const visit = (node: Node): void => {
    if (seen.has(node)) return;
    seen.add(node);
    node.args.forEach(visit);
    if (node.op !== 'input' || node.type.dims.length !== 1) return;
    const { name } = node.data;
    if (!layout.sub.has(`queries:${name}`) && !layout.unit.has(`shared:${name}`)) return;
    const lanes = source.element(node, [at]);
    found.set(name, lanes.length === 2 ? [...lanes, ...lanes] : lanes);
  };
  nodes.forEach(visit);
  return [...found].map(([name, lanes]) => ({ name, lanes }));
}

interface Key {
  readonly key: Int;
  readonly line: Int;
  /** Its row of the block. */
  readonly row: Int;
}

/** Visits the record's rows of the block two at a time; behind the last comes the last again, changed by nothing. */
function eachTwoKeys(
  site: Site,
  bases: ReadonlyMap<string, { base: Int; step: Int | number }>,
  write: (rows: ReadonlyMap<string, readonly Int[]>, keys: readonly [Key, Key], own: Int) => void,
): void {
  const { code, unit } = site;
  const [from, to, block] = [subWord(site, 'from'), subWord(site, 'to'), unitWord(site, 'block')];
  const last = add(site, to, -1);
  each(site, from, to, 2, (own) => {
    const next = add(site, own, 1);
    code.set(next, code.select('i32', code.get(next), code.get(last), code.op('i32.lt_s', next, last)));
    const keyOf = (row: Int): Key => ({
      row,
      key: add(site, block, row),
      line: scaled(site, unit, row, LINE),
    });
    const keys = [keyOf(own), keyOf(next)] as const;
    const rows = new Map(
      [...bases].map(
        ([name, { base, step }]) => [name, keys.map(({ row }) => scaled(site, base, row, step))] as const,
      ),
    );
    write(rows, keys, own);
  });
}

const loadFour = ({ code }: Site, from: Int): Lanes =>
  [0, 16, 32, 48].map((offset) => code.let('v128', code.load('v128.load', from, offset)));

/** Adds the sums over 8 queries for each of two keys to numbers in memory. */
function addAcross(site: Site, lanes: Lanes, to: readonly Int[]): void {
  const { code } = site;
  const sum = (a: Vector, b: Vector): Vector => code.let('v128', code.op('f32x4.add', a, b));
  const mix = (order: readonly [number, number, number, number], a: Vector, b: Vector): Vector =>
    code.let('v128', code.shuffle(order, a, b));
  const [a, b] = [sum(lanes[0] as Vector, lanes[1] as Vector), sum(lanes[2] as Vector, lanes[3] as Vector)];
  const halves = sum(mix([0, 1, 4, 5], a, b), mix([2, 3, 6, 7], a, b));
  const both = sum(halves, mix([1, 0, 3, 2], halves, halves));
  to.forEach((place, r) => {
    const one = code.let('f32', code.lane('f32x4.extract_lane', r * 2, both));
    code.access(
      'f32.store',
      0,
      place,
      code.let('f32', code.op('f32.add', code.load('f32.load', place), one)),
    );
  });
}
