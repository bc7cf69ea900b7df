// What leaves the kernel: contexts, levels, weights.

import { workingDType } from '@heed/tensor';
import { type StoredDType, store } from '../access.ts';
import { exp2 } from '../math/exponential.ts';
import { log } from '../math/logarithm.ts';
import type { Lanes } from '../simd.ts';
import type { Callee } from '../wasm/index.ts';
import { LANES, LINE } from './layout.ts';
import { ofQueries } from './pack-queries.ts';
import { tileOf } from './pairs.ts';
import {
  AXIS,
  add,
  each,
  FIRST_OWN,
  type Int,
  type Kernel,
  least,
  loadLanes,
  number,
  routine,
  type Site,
  scaled,
  setSubLanes,
  simd,
  strideOn,
  subLanes,
  subWord,
  unitWord,
  type Vector,
} from './site.ts';
import { rowsOf, writeToRows } from './transpose.ts';

/** settle(): after the last score of a softmax, its level, and what relative weights are multiplied by (`share`). */
export function writeSettle(kernel: Kernel): Callee {
  return routine(kernel, [], (site) => {
    const { design } = site;
    const s = simd(site, 2);
    const inTwos = (lanes: Lanes): Lanes =>
      design.scaled ? lanes : s.op('f32x4.mul', lanes, s.float(Math.LOG2E));
    let [maximum, sum]: [Lanes, Lanes] = [subLanes(site, 'maximum'), subLanes(site, 'sum')];
    const keys = sum;
    let factor: Lanes | null = null;
    if (design.formulas.sink) {
      const natural = ofQueries(site, design.formulas.sink);
      const sink = design.scaled ? s.op('f32x4.mul', natural, s.float(Math.LOG2E)) : natural;
      const larger = s.variables(s.op('f32x4.pmax', maximum, sink));
      factor = exp2(s, inTwos(s.op('f32x4.sub', maximum, larger)));
      const own = exp2(s, inTwos(s.op('f32x4.sub', sink, larger)));
      sum = s.variables(s.op('f32x4.add', s.op('f32x4.mul', sum, factor), own));
      maximum = larger;
    }
    // A sum of zero: nothing above -infinity was allowed. A sink alone has a level where a key is allowed at all.
    const positive = s.op('f32x4.ne', sum, s.zero());
    const leveled = design.formulas.sink ? s.op('v128.and', positive, subLanes(site, 'alive')) : positive;
    const inverse = s.op('f32x4.div', s.float(1), sum);
    setSubLanes(site, 'share', s.variables(s.op('v128.and', inverse, positive)) as readonly Vector[]);
    // Contexts are relative to the largest score of the keys.
    const own = factor ? s.op('f32x4.mul', inverse, factor) : inverse;
    const taking = s.variables(s.op('f32x4.ne', keys, s.zero()));
    setSubLanes(site, 'scale', s.variables(s.op('v128.and', own, positive)) as readonly Vector[]);
    setSubLanes(site, 'alive', taking as readonly Vector[]);
    setSubLanes(site, 'maximum', s.variables(maximum) as readonly Vector[]);
    const natural = design.scaled ? s.op('f32x4.mul', maximum, s.float(Math.LN2)) : maximum;
    const level = s.op('f32x4.add', natural, log(s, sum));
    setSubLanes(site, 'kept', s.variables(s.select(leveled, level, s.float(-Infinity))) as readonly Vector[]);
  });
}

/** finish(): writes contexts and levels of the record's queries. */
export function writeFinish(kernel: Kernel): Callee {
  return routine(kernel, [], (site) => {
    const { code, design, layout, sub } = site;
    const { program, by, width } = design;
    const s = simd(site, 2);
    const [query, left] = [subWord(site, 'query'), subWord(site, 'left')];
    const scale = by === 'log-sum-exp' ? subLanes(site, 'scale') : null;
    const alive = by === 'none' ? null : subLanes(site, 'alive');
    const stride = strideOn(site, 'context', AXIS.query);
    const pointer = scaled(site, unitWord(site, 'base:context'), query, stride);
    const from = add(site, sub, layout.sub.at('context'));
    const settled = (found: Lanes): Lanes => {
      const value = scale ? s.op('f32x4.mul', found, scale) : found;
      return alive ? s.op('v128.and', value, alive) : value;
    };
    if (program.dtype === 'float32' && site.steps['context:features'] === 'unit') {
      // Lanes behind the last query go where nobody looks.
      const nowhere = add(site, sub, layout.sub.at('nowhere'));
      writeToRows(site, from, width, rowsOf(site, pointer, stride, nowhere), settled);
    } else {
      const feature = strideOn(site, 'context', FIRST_OWN);
      each(site, 0, width, 1, () => {
        const value = settled(loadLanes(site, from, 0));
        store(s, { dtype: program.dtype as StoredDType, step: 'any', pointer, stride }, value, left);
        code.set(pointer, code.op('i32.add', pointer, feature));
        code.set(from, code.op('i32.add', from, LINE));
      });
    }
    if (!program.keep.level) return;
    const across = strideOn(site, 'level', AXIS.query);
    const to = scaled(site, unitWord(site, 'base:level'), query, across);
    const dtype = workingDType(program.dtype) as StoredDType;
    store(s, { dtype, step: 'any', pointer: to, stride: across }, subLanes(site, 'kept'), left);
  });
}

/** clear(): zeros where the unit's weights go; pairs that are never looked at have none. */
export function writeClear(kernel: Kernel): Callee {
  return routine(kernel, [], (site) => {
    const { code, design } = site;
    const [first, rows] = [unitWord(site, 'first'), unitWord(site, 'rows')];
    if (design.weights === 'pooled') {
      const blocks = number(site, 'pools');
      const bytes = code.op('i32.mul', code.op('i32.mul', poolsOf(site, rows), blocks), 4);
      const size = code.let('i32', bytes);
      code.fill(unitWord(site, 'pooled'), 0, size);
      return;
    }
    const dtype = design.program.dtype as StoredDType;
    const s = simd(site, 1);
    const [across, along] = [strideOn(site, 'weights', AXIS.query), strideOn(site, 'weights', AXIS.key)];
    const keys = number(site, 'keyLength');
    const row = scaled(site, unitWord(site, 'base:weights'), first, across);
    const one = code.let('i32', 1);
    each(site, 0, rows, 1, () => {
      const pointer = code.let('i32', row);
      each(site, 0, keys, 1, () => {
        store(s, { dtype, step: 'unit', pointer, stride: along }, s.zero(), one);
        code.set(pointer, code.op('i32.add', pointer, along));
      });
      code.set(row, code.op('i32.add', row, across));
    });
  });
}

/** Blocks of queries that so many queries of a unit make. */
function poolsOf(site: Site, rows: Int): Int {
  const { code, design } = site;
  const rounded = add(site, rows, design.pool - 1);
  return code.let('i32', code.op('i32.div_u', rounded, design.pool));
}

/** show(): writes, or adds up, the weights of the record's rows of the block. */
export function writeShow(kernel: Kernel): Callee {
  return routine(kernel, [], (site) => {
    const { code, design } = site;
    const [from, to, query, left] = (['from', 'to', 'query', 'left'] as const).map((word) =>
      subWord(site, word),
    ) as [Int, Int, Int, Int];
    const block = unitWord(site, 'block');
    const line = scaled(site, tileOf(site), from, LINE);
    if (design.weights === 'pooled') {
      writeSums(site, { from, to, query, left, block, line });
      return;
    }
    const s = simd(site, 2);
    const [across, along] = [strideOn(site, 'weights', AXIS.query), strideOn(site, 'weights', AXIS.key)];
    const row = scaled(site, unitWord(site, 'base:weights'), query, across);
    const first = add(site, block, from);
    const pointer = scaled(site, row, first, along);
    const dtype = design.program.dtype as StoredDType;
    each(site, from, to, 1, () => {
      store(s, { dtype, step: 'any', pointer, stride: across }, loadLanes(site, line, 0), left);
      code.set(pointer, code.op('i32.add', pointer, along));
      code.set(line, code.op('i32.add', line, LINE));
    });
  });
}

interface Shown {
  readonly from: Int;
  readonly to: Int;
  readonly query: Int;
  readonly left: Int;
  readonly block: Int;
  readonly line: Int;
}

/** Adds weights up over blocks of keys, and puts each sum where its query's block gathers. */
function writeSums(site: Site, { from, to, query, left, block, line }: Shown): void {
  const { code, design } = site;
  const s = simd(site, 2);
  const pools = number(site, 'pools');
  const key = add(site, block, from);
  const end = add(site, block, to);
  const at = code.let('i32', code.op('i32.div_u', key, design.pool));
  const next = code.let('i32', code.op('i32.mul', add(site, at, 1), design.pool));
  const sum = s.variables(s.zero());
  const before = code.let('i32', code.op('i32.sub', query, unitWord(site, 'first')));
  const base = unitWord(site, 'pooled');
  each(site, key, end, 1, (here) => {
    s.assign(sum, s.op('f32x4.add', sum, loadLanes(site, line, 0)));
    code.set(line, code.op('i32.add', line, LINE));
    const after = add(site, here, 1);
    const full = code.op(
      'i32.or',
      code.op('i32.eq', after, next),
      code.let('i32', code.op('i32.eq', after, end)),
    );
    code.if(full, () => {
      for (let lane = 0; lane < LANES; lane++) {
        code.if(code.op('i32.gt_s', left, lane), () => {
          const own = code.let('i32', code.op('i32.div_u', add(site, before, lane), design.pool));
          const cell = code.op('i32.add', code.op('i32.mul', own, pools), at);
          const to = code.let('i32', code.op('i32.add', code.op('i32.shl', cell, 2), base));
          const value = code.let('f32', code.lane('f32x4.extract_lane', lane % 4, s.vector(sum, lane >> 2)));
          code.access(
            'f32.store',
            0,
            to,
            code.let('f32', code.op('f32.add', code.load('f32.load', to), value)),
          );
        });
      }
      s.assign(sum, s.zero());
      code.set(at, code.op('i32.add', at, 1));
      code.set(next, code.op('i32.add', next, design.pool));
    });
  });
}

/** pool(): writes what the unit's weights gathered, averaged over queries. */
export function writePooled(kernel: Kernel): Callee {
  return routine(kernel, [], (site) => {
    const { code, design } = site;
    const s = simd(site, 1);
    const [first, rows] = [unitWord(site, 'first'), unitWord(site, 'rows')];
    const pools = number(site, 'pools');
    const [across, along] = [strideOn(site, 'weights', AXIS.query), strideOn(site, 'weights', AXIS.key)];
    const block = code.let('i32', code.op('i32.div_u', first, design.pool));
    const row = scaled(site, unitWord(site, 'base:weights'), block, across);
    const from = unitWord(site, 'pooled');
    const rest = code.let('i32', rows);
    const one = code.let('i32', 1);
    const dtype = design.program.dtype as StoredDType;
    each(site, 0, poolsOf(site, rows), 1, () => {
      const count = code.let('f32', code.op('f32.convert_i32_s', least(site, rest, design.pool)));
      const divisor = s.splatFloat(count);
      const pointer = code.let('i32', row);
      each(site, 0, pools, 1, () => {
        const sum: Lanes = [code.let('v128', code.load('v128.load32_splat', from))];
        store(s, { dtype, step: 'unit', pointer, stride: along }, s.op('f32x4.div', sum, divisor), one);
        code.set(pointer, code.op('i32.add', pointer, along));
        code.set(from, code.op('i32.add', from, 4));
      });
      code.set(row, code.op('i32.add', row, across));
      code.set(rest, code.op('i32.sub', rest, design.pool));
    });
  });
}
