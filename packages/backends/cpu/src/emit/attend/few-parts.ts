// The keys of few queries shared out among units: each leaves what it found in its part of them, and what all have found
// becomes one result in a second job, part by part in their order: the same bits whoever did which part.
//
// The streaming softmax merges by levels (Milakov, Gimelshein 2018): sums and contexts shrink by how far the largest score
// of their part lies below the largest of all.

import { exp2 } from '../math/exponential.ts';
import type { Lanes } from '../simd.ts';
import type { Callee } from '../wasm/index.ts';
import { type Design, FEW_BLOCK, LINE } from './layout.ts';
import {
  add,
  each,
  type Int,
  type Kernel,
  least,
  loadLanes,
  most,
  number,
  routine,
  type Site,
  scaled,
  setSubLanes,
  setUnit,
  simd,
  storeLanes,
  subLanes,
  unitWord,
  type Vector,
} from './site.ts';

/** The memory in which parts leave what they found, as kernels call it. */
export const PARTS = 'parts:found';

/** What a part leaves of a record: lanes of these, then its context. */
const KEPT = ['maximum', 'sum', 'alive'] as const;
export const partBytes = ({ width }: Design): number => (KEPT.length + width) * LINE;

/** Narrows the unit's range of keys to its part: an even share of those that the mask lets through, in whole blocks. */
export function writePartOfRange(site: Site): void {
  const { code } = site;
  const [from, to] = [unitWord(site, 'from'), unitWord(site, 'to')];
  const parts = number(site, 'parts');
  const length = most(site, code.let('i32', code.op('i32.sub', to, from)), 0);
  const blocks = code.let('i32', code.op('i32.div_u', add(site, length, FEW_BLOCK - 1), FEW_BLOCK));
  const share = code.op('i32.div_u', add(site, add(site, parts, blocks), -1), parts);
  const keys = code.let('i32', code.op('i32.mul', share, FEW_BLOCK));
  const first = scaled(site, from, unitWord(site, 'part'), keys);
  setUnit(site, 'from', first);
  setUnit(site, 'to', least(site, to, add(site, first, keys)));
}

/** keep(): leaves what the record found. */
export function writeKeep(kernel: Kernel): Callee {
  return routine(kernel, [], (site) => {
    const { code, design, layout, sub } = site;
    const to = unitWord(site, 'found');
    for (const [i, name] of KEPT.entries()) storeLanes(site, to, i * LINE, subLanes(site, name));
    const context = add(site, sub, layout.sub.at('context'));
    code.copy(add(site, to, KEPT.length * LINE), context, code.let('i32', design.width * LINE));
  });
}

/** merge(): makes one of what all parts have left. */
export function writeMerge(kernel: Kernel): Callee {
  const bytes = partBytes(kernel.design);
  return routine(kernel, [], (site) => {
    const { code, design, layout, sub } = site;
    const s = simd(site, 2);
    const [found, parts] = [unitWord(site, 'found'), number(site, 'parts')];
    const eachPart = (write: (part: Int) => void): void =>
      each(site, 0, parts, 1, (at) => write(scaled(site, found, at, bytes)));
    const kept = (part: Int, name: (typeof KEPT)[number]): Lanes =>
      loadLanes(site, part, KEPT.indexOf(name) * LINE);
    const [maximum, sum, alive] = KEPT.map((name) => s.variables(subLanes(site, name))) as [
      Lanes,
      Lanes,
      Lanes,
    ];
    eachPart((part) => s.assign(maximum, s.op('f32x4.pmax', maximum, kept(part, 'maximum'))));
    eachPart((part) => {
      const away = s.op('f32x4.sub', kept(part, 'maximum'), maximum);
      const twos = design.scaled ? away : s.op('f32x4.mul', away, s.float(Math.LOG2E));
      const factor = s.variables(design.by === 'none' ? s.float(1) : exp2(s, twos));
      s.assign(sum, s.madd(kept(part, 'sum'), factor, sum));
      s.assign(alive, s.op('v128.or', alive, kept(part, 'alive')));
      const from = add(site, part, KEPT.length * LINE);
      const to = add(site, sub, layout.sub.at('context'));
      each(site, 0, design.width, 1, () => {
        const summed = s.madd(loadLanes(site, from, 0), factor, loadLanes(site, to, 0));
        storeLanes(site, to, 0, summed as readonly Vector[]);
        code.set(from, code.op('i32.add', from, LINE));
        code.set(to, code.op('i32.add', to, LINE));
      });
    });
    const merged = { maximum, sum, alive };
    for (const name of KEPT) setSubLanes(site, name, merged[name] as readonly Vector[]);
  });
}
