// Levels that are known only once all scores are: the root of a sum of weights, and the place of the largest score.

import { asExpr, type Node } from '@heed/expr';
import { ExpressionWriter } from '../expression.ts';
import type { Lanes, Simd } from '../simd.ts';
import type { Callee } from '../wasm/index.ts';
import type { Centred, Multiple } from './centre.ts';
import type { Formulas } from './formula.ts';
import { countUses, FusedWriter } from './fused.ts';
import { LINE } from './layout.ts';
import { ofQueries } from './pack-queries.ts';
import {
  each,
  type Int,
  type Kernel,
  loadLanes,
  number,
  routine,
  type Site,
  scaled,
  setSubLanes,
  simd,
  subWord,
  type Vector,
} from './site.ts';
import { type Given, TileSource } from './source.ts';

/**
 * Halvings of the interval in which a root lies. An interval as wide as the weights' sum is then 2^-32 wide: finer than
 * float32 tells levels apart, but next to zero.
 */
const HALVINGS = 32;

/** level(): from the record's scores of all keys to its level, and to which of its queries take part (`alive`). */
export function writeLevel(kernel: Kernel): Callee {
  return routine(kernel, [], (site) => {
    const s = simd(site, 2);
    const found = readScores(site, s);
    const { formulas, by } = site.design;
    const some = s.op('i32x4.gt_s', found.count, s.zero());
    const sink = formulas.sink ? ofQueries(site, formulas.sink) : null;
    const maximum = sink ? s.op('f32x4.max', found.maximum, sink) : found.maximum;
    // Empty: nothing allowed, or nothing above -infinity. NaN is above.
    const alive = s.variables(s.op('v128.and', some, s.op('f32x4.ne', maximum, s.float(-Infinity))));
    setSubLanes(site, 'alive', alive as readonly Vector[]);
    const level =
      by === 'root' ? writeRoot(site, s, { ...found, maximum, sink }) : writePlace(site, s, found, sink);
    setSubLanes(site, 'level', s.variables(level) as readonly Vector[]);
    setSubLanes(site, 'maximum', s.variables(maximum) as readonly Vector[]);
    const { centred } = formulas;
    const absolute = centred
      ? s.op('f32x4.add', multiplied(site, s, centred.multiple, maximum), level)
      : level;
    setSubLanes(
      site,
      'kept',
      s.variables(s.select(alive, absolute, s.float(-Infinity))) as readonly Vector[],
    );
  });
}

interface Scores {
  readonly maximum: Lanes;
  /** How many keys are allowed, as ints. */
  readonly count: Lanes;
  /** The place of the first largest, as an int, and its score. */
  readonly place: Lanes;
  readonly best: Lanes;
}

/** Visits the rows of all keys that may be allowed. */
function eachKey(site: Site, write: (score: Lanes, allowed: Lanes | null, key: Int) => void): void {
  const { code, design } = site;
  const [low, high] = [subWord(site, 'low'), subWord(site, 'high')];
  const tile = scaled(site, subWord(site, 'tile'), low, LINE);
  const mask = design.formulas.mask ? scaled(site, subWord(site, 'allowed'), low, LINE) : null;
  each(site, low, high, 1, (key) => {
    write(loadLanes(site, tile, 0), mask && loadLanes(site, mask, 0), key);
    code.set(tile, code.op('i32.add', tile, LINE));
    if (mask) code.set(mask, code.op('i32.add', mask, LINE));
  });
}

function readScores(site: Site, s: Simd): Scores {
  const [maximum, count] = [s.variables(s.float(-Infinity)), s.variables(s.zero())];
  const [best, place] = [s.variables(s.float(-Infinity)), s.variables(s.int(-1))];
  eachKey(site, (score, allowed, key) => {
    const counted = allowed ? s.select(allowed, score, s.float(-Infinity)) : score;
    s.assign(maximum, s.op('f32x4.max', maximum, counted));
    s.assign(count, s.op('i32x4.sub', count, allowed ?? s.int(-1)));
    const wins = s.variables(better(s, counted, best));
    s.assign(best, s.select(wins, counted, best));
    s.assign(place, s.select(wins, s.splatInt(key), place));
  });
  return { maximum, count, place, best };
}

/** Larger, or the first that is not a number. */
function better(s: Simd, a: Lanes, b: Lanes): Lanes {
  const strange = (of: Lanes): Lanes => s.op('f32x4.ne', of, of);
  return s.op('v128.or', s.op('f32x4.gt', a, b), s.op('v128.andnot', strange(a), strange(b)));
}

function writePlace(site: Site, s: Simd, { place, best }: Scores, sink: Lanes | null): Lanes {
  const end = s.splatInt(number(site, 'keyLength'));
  const chosen = sink ? s.select(better(s, sink, best), end, place) : place;
  return s.op('f32x4.convert_i32x4_s', chosen);
}

/** A row's level as weights are computed from it: counted from the largest score where they can be. */
export interface Known {
  readonly level: Lanes;
  readonly maximum: Lanes;
}

/** What the formula of a weight reads of a score and its level. */
export function stageOf(site: Site, s: Simd, score: Lanes, { level, maximum }: Known): Given {
  const { centred } = site.design.formulas;
  const above = (): Lanes => {
    const away = s.op('f32x4.sub', score, maximum);
    return s.op('f32x4.sub', multiplied(site, s, (centred as Centred).multiple, away), level);
  };
  return new Map([
    ['score', () => score],
    ['level', () => level],
    ['above', above],
  ]);
}

/** The formula that weights are computed by. */
export const weightFormula = ({ centred, weight }: Formulas): Node => centred?.weight ?? weight;

function multiplied(site: Site, s: Simd, { by, factor }: Multiple, lanes: Lanes): Lanes {
  if (!factor) return lanes;
  const source = new TileSource(site, { rows: [] });
  const [value] = new ExpressionWriter(s, source, site.design.program.sizes).write(asExpr(factor));
  return s.op(by === 'quotient' ? 'f32x4.div' : 'f32x4.mul', lanes, value as Lanes);
}

/** Halves the interval in which the sum of weights passes one, in all lanes at once. */
function writeRoot(site: Site, s: Simd, scores: Scores & { readonly sink: Lanes | null }): Lanes {
  const { code, design } = site;
  const { formulas } = design;
  const counted = formulas.sink ? s.op('i32x4.add', scores.count, s.int(1)) : scores.count;
  const count = s.variables(s.op('f32x4.convert_i32x4_s', counted));
  const given: Given = new Map([
    ['maximum', () => scores.maximum],
    ['count', () => count],
  ]);
  const low = ofQueries(site, formulas.low as Node, given);
  const high = ofQueries(site, formulas.high as Node, given);
  const { centred } = formulas;
  if (centred) {
    // Counted from the largest score, and so much wider that what rounding did to the bounds excludes nothing.
    const origin = s.variables(multiplied(site, s, centred.multiple, scores.maximum));
    const size = s.op('f32x4.add', s.op('f32x4.abs', origin), s.float(1));
    const slack = s.variables(s.op('f32x4.mul', size, s.float(2 ** -21)));
    s.assign(low, s.op('f32x4.sub', s.op('f32x4.sub', low, origin), slack));
    s.assign(high, s.op('f32x4.add', s.op('f32x4.sub', high, origin), slack));
  }
  const middle = s.variables(s.zero());
  const sum = s.variables(s.zero());
  const weigh = (score: Lanes, key: Int | null): Lanes => {
    const rows = key ? [{ key, line: key }] : [];
    const stage = stageOf(site, s, score, { level: middle, maximum: scores.maximum });
    const formula = weightFormula(formulas);
    const source = new TileSource(site, { rows }, stage);
    return new FusedWriter(s, source, design.program.sizes, countUses([formula])).part(formula, []);
  };
  code.block((done) => {
    each(site, 0, HALVINGS, 1, () => {
      s.assign(middle, s.op('f32x4.add', low, s.op('f32x4.mul', s.op('f32x4.sub', high, low), s.float(0.5))));
      const inside = s.op('v128.and', s.op('f32x4.gt', middle, low), s.op('f32x4.lt', middle, high));
      const moving = code.let('v128', code.op('v128.or', inside[0] as Vector, inside[1] as Vector));
      code.branchIf(done, code.op('i32.eqz', code.op('v128.any_true', moving)));
      s.assign(sum, scores.sink ? weigh(scores.sink, null) : s.zero());
      eachKey(site, (score, allowed, key) => {
        const weight = weigh(score, key);
        s.assign(sum, s.op('f32x4.add', sum, allowed ? s.op('v128.and', weight, allowed) : weight));
      });
      const above = s.op('f32x4.ge', sum, s.float(1));
      s.assign(low, s.select(s.op('v128.and', above, inside), middle, low));
      s.assign(high, s.select(s.op('v128.andnot', inside, above), middle, high));
    });
  });
  return s.op('f32x4.add', low, s.op('f32x4.mul', s.op('f32x4.sub', high, low), s.float(0.5)));
}
