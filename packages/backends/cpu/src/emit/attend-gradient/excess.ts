// What the rounding of levels by log-sum-exp leaves out. A level of 1e4, stored as float32, is 5e-4 off, and so would be
// all weights of its row. Where levels are large the weights are summed ahead: the logarithm of their sum, zero but for
// that rounding, is what the level lacks. Formulas read both counted from the level as stored, where nothing is lost.

import { type Site, setUnit, simd, subLanes, type Vector } from '../attend/site.ts';
import type { Given } from '../attend/source.ts';
import { log } from '../math/logarithm.ts';
import type { Lanes, Simd } from '../simd.ts';
import type { GradientDesign } from './design.ts';
import { setVectors } from './rows.ts';

/** Levels below are right to 2^-19, which the scores themselves seldom are. */
const LARGE = 64;

const isLarge = (s: Simd, level: Lanes): Lanes => s.op('f32x4.gt', s.op('f32x4.abs', level), s.float(LARGE));

/** Whether weights of a row are summed so that they can be made to sum to one. */
export const hasExcess = ({ program }: GradientDesign): boolean =>
  program.of.normalizer.level.by === 'log-sum-exp';

/** Begins with nothing left out, and notes in the unit's `large` whether one of the record's levels is. */
export function clearExcess(site: Site, valid: Lanes): void {
  const { code } = site;
  const s = simd(site, 2);
  setVectors(site, 'excess', s.zero());
  const found = s.op('v128.and', valid, isLarge(s, subLanes(site, 'level')));
  const any = code.let('v128', code.op('v128.or', found[0] as Vector, found[1] as Vector));
  code.if(code.op('v128.any_true', any), () => setUnit(site, 'large', 1));
}

/** @param sum of the weights of each row, the sink's included, computed while the excess was nothing. */
export function storeExcess(site: Site, sum: Lanes): void {
  const s = simd(site, 2);
  // A sum that overflowed, or nothing, says nothing about the level.
  const sound = s.op('v128.and', s.op('f32x4.gt', sum, s.zero()), s.op('f32x4.lt', sum, s.float(Infinity)));
  const large = s.op('v128.and', sound, isLarge(s, subLanes(site, 'level')));
  setVectors(site, 'excess', s.select(large, log(s, sum), s.zero()));
}

/** What formulas of weights read as their score and level. @param alike gives a record's lanes for each of the rows. */
export const stageOf = (
  gradient: GradientDesign,
  s: Simd,
  score: () => Lanes,
  alike: (name: 'level' | 'excess') => Lanes,
): Given =>
  hasExcess(gradient)
    ? new Map([
        ['score', () => s.op('f32x4.sub', score(), alike('level'))],
        ['level', () => alike('excess')],
      ])
    : new Map([
        ['score', score],
        ['level', () => alike('level')],
      ]);
