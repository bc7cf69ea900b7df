// Rows multiplied by the sums of their own coefficients: what a partial such as q - k gives to the side that it comes from.

import { LINE } from '../attend/layout.ts';
import { add, each, type Int, loadLanes, type Site, simd, storeLanes, type Vector } from '../attend/site.ts';
import type { Lanes } from '../simd.ts';
import { TILE } from './outer-kernel.ts';

/** sums[number][8] += queries[number][8] * (the sum over `rows` keys of the weights, for each of the 8). */
export function addOwnQueries(
  site: Site,
  weights: Int,
  rows: Int,
  queries: Int,
  sums: Int,
  width: number,
  negative: boolean,
): void {
  const { code } = site;
  const s = simd(site, 2);
  // Two keys at a time, so that one sum need not wait for the other; behind the last comes one that weighs nothing.
  const pair = simd(site, 4);
  const totals = pair.variables(pair.zero());
  each(site, 0, rows, 2, () => {
    const two = [...loadLanes(site, weights, 0), ...loadLanes(site, weights, LINE)];
    pair.assign(totals, pair.op('f32x4.add', totals, two));
    code.set(weights, code.op('i32.add', weights, 2 * LINE));
  });
  const total = s.op('f32x4.add', totals.slice(0, 2), totals.slice(2));
  each(site, 0, width, 1, () => {
    const [own, before] = [loadLanes(site, queries, 0), loadLanes(site, sums, 0)];
    const added = negative ? s.nmadd(total, own, before) : s.madd(total, own, before);
    storeLanes(site, sums, 0, added as readonly Vector[]);
    code.set(queries, code.op('i32.add', queries, LINE));
    code.set(sums, code.op('i32.add', sums, LINE));
  });
}

/** out[key] += keys[key] * (the sum over the weights of all queries of the block). */
export function addOwnKeys(
  site: Site,
  { weights, subs, count }: { readonly weights: Int; readonly subs: Int; readonly count: Int },
  [keys, step]: readonly [Int, Int],
  [out, outStep]: readonly [Int, Int],
  width: number,
  negative: boolean,
): void {
  const { code } = site;
  const s = simd(site, 1);
  const takeIn = (sum: Lanes, own: Vector, before: Vector): Vector =>
    (negative ? s.nmadd(sum, [own], [before]) : s.madd(sum, [own], [before]))[0] as Vector;
  const [line, row, to] = [add(site, weights, 0), add(site, keys, 0), add(site, out, 0)];
  each(site, 0, count, 1, () => {
    const total = s.variables(s.zero());
    const at = add(site, line, 0);
    each(site, 0, subs, 1, () => {
      const [low, high] = loadLanes(site, at, 0);
      s.assign(total, s.op('f32x4.add', total, s.op('f32x4.add', [low], [high])));
      code.set(at, code.op('i32.add', at, TILE));
    });
    const halves = s.op('f32x4.add', total, s.shuffle([2, 3, 0, 1], total, total));
    const sum = s.op('f32x4.add', halves, s.shuffle([1, 0, 3, 2], halves, halves));
    const [from, into] = [add(site, row, 0), add(site, to, 0)];
    each(site, 0, width >> 2, 1, () => {
      const own = code.let('v128', code.load('v128.load', from));
      const before = code.let('v128', code.load('v128.load', into));
      code.access('v128.store', 0, into, takeIn(sum, own, before));
      code.set(from, code.op('i32.add', from, 16));
      code.set(into, code.op('i32.add', into, 16));
    });
    for (let rest = 0; rest < width % 4; rest++) {
      const own = code.let('v128', code.load('v128.load32_splat', from, rest * 4));
      const before = code.let('v128', code.load('v128.load32_splat', into, rest * 4));
      code.memoryLane('v128.store32_lane', rest * 4, 0, into, takeIn(sum, own, before));
    }
    code.set(line, code.op('i32.add', line, LINE));
    code.set(row, code.op('i32.add', row, step));
    code.set(to, code.op('i32.add', to, outStep));
  });
}
