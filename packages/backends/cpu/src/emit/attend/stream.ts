// softmax as scores arrive: the largest so far, the sum of exponentials less it, and by how much what was summed before
// shrinks (Milakov, Gimelshein 2018; Dao et al. 2022). In powers of two: exp2 is a shift and a polynomial.

import { exp2 } from '../math/exponential.ts';
import type { Lanes } from '../simd.ts';
import type { Callee } from '../wasm/index.ts';
import { LINE } from './layout.ts';
import { tileOf } from './pairs.ts';
import {
  add,
  each,
  type Int,
  type Kernel,
  loadLanes,
  routine,
  type Site,
  scaled,
  setSubLanes,
  simd,
  storeLanes,
  subLanes,
  subWord,
  type Vector,
} from './site.ts';

/** stream(): turns the record's scores into weights relative to the largest score so far. */
export function writeStream(kernel: Kernel): Callee {
  return routine(kernel, [], (site) => {
    const { code, design } = site;
    const [from, to] = [subWord(site, 'from'), subWord(site, 'to')];
    const tile = tileOf(site);
    const [start, end] = [scaled(site, tile, from, LINE), scaled(site, tile, to, LINE)];
    const s = simd(site, 2);
    // Rows are taken in pairs: one behind the last, which weighs nothing.
    const nothing = s.float(-Infinity);
    storeLanes(site, end, 0, s.variables(nothing) as readonly Vector[]);
    const before = subLanes(site, 'maximum');
    const largest = [before[0], before[1], ...before].map((lanes) => code.let('v128', lanes));
    eachPair(site, start, end, (row) => {
      largest.forEach((vector, i) => {
        // A NaN is dropped here and comes back in the sum.
        code.set(
          vector,
          code.op('f32x4.pmax', vector, code.let('v128', code.load('v128.load', row, 16 * i))),
        );
      });
    });
    const maximum: Lanes = [0, 1].map((i) =>
      code.let('v128', code.op('f32x4.pmax', largest[i] as Vector, largest[i + 2] as Vector)),
    );
    setSubLanes(site, 'maximum', maximum);
    const inTwos = (lanes: Lanes): Lanes =>
      design.scaled ? lanes : s.op('f32x4.mul', lanes, s.float(Math.LOG2E));
    const decay = s.variables(exp2(s, inTwos(s.op('f32x4.sub', before, maximum))));
    setSubLanes(site, 'decay', decay);
    const sum = s.variables(s.op('f32x4.mul', subLanes(site, 'sum'), decay));
    writeExponentials(site, start, end, maximum, sum);
    setSubLanes(site, 'sum', sum);
  });
}

/** Rows become exp2(row - maximum), and are added up. */
function writeExponentials(site: Site, start: Int, end: Int, maximum: Lanes, sum: Lanes | null): void {
  const { code, design } = site;
  const s = simd(site, 4);
  const less = [...maximum, ...maximum];
  const sums = sum ? s.variables(s.zero()) : null;
  eachPair(site, start, end, (row) => {
    const scores: Lanes = [0, 1, 2, 3].map((i) => code.let('v128', code.load('v128.load', row, 16 * i)));
    const away = s.op('f32x4.sub', scores, less);
    const weights = exp2(s, design.scaled ? away : s.op('f32x4.mul', away, s.float(Math.LOG2E)));
    storeLanes(site, row, 0, weights);
    if (sums) s.assign(sums, s.op('f32x4.add', sums, weights));
  });
  if (!sum || !sums) return;
  simd(site, 2).assign(
    sum,
    [0, 1].map((i) => {
      const both = code.let('v128', code.op('f32x4.add', sums[i] as Vector, sums[i + 2] as Vector));
      return code.let('v128', code.op('f32x4.add', sum[i] as Vector, both));
    }),
  );
}

/** relative(): turns the record's scores into weights, by the largest score and the sum that are known already. */
export function writeRelative(kernel: Kernel): Callee {
  return routine(kernel, [], (site) => {
    const { code, design } = site;
    const [from, to] = [subWord(site, 'from'), subWord(site, 'to')];
    const tile = tileOf(site);
    const [start, end] = [scaled(site, tile, from, LINE), scaled(site, tile, to, LINE)];
    const [maximum, share] = [subLanes(site, 'maximum'), subLanes(site, 'share')];
    const s = simd(site, 2);
    const at = code.let('i32', start);
    each(site, start, end, LINE, () => {
      const away = s.op('f32x4.sub', loadLanes(site, at, 0), maximum);
      const weights = exp2(s, design.scaled ? away : s.op('f32x4.mul', away, s.float(Math.LOG2E)));
      storeLanes(site, at, 0, s.op('f32x4.mul', weights, share));
      code.set(at, code.op('i32.add', at, LINE));
    });
  });
}

function eachPair(site: Site, start: Int, end: Int, write: (row: Int) => void): void {
  const row = add(site, start, 0);
  each(site, start, end, 2 * LINE, () => {
    write(row);
    site.code.set(row, site.code.op('i32.add', row, 2 * LINE));
  });
}
