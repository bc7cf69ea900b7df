// Rows of a block of queries, one behind the other, for products that lanes of features go through; and whether rows are
// finite: what is not must not meet a coefficient of zero, since 0 * NaN is NaN.

import type { AttendInput } from '@heed/tensor';
import { type Cursor, load, type StoredDType } from '../access.ts';
import { widthOf } from '../attend/layout.ts';
import {
  AXIS,
  add,
  each,
  FIRST_OWN,
  type Int,
  type Kernel,
  routine,
  type Site,
  scaled,
  setUnit,
  simd,
  strideOn,
  unitWord,
  type Vector,
} from '../attend/site.ts';
import { bytesOf } from '../geometry.ts';
import type { Lanes, Simd } from '../simd.ts';
import type { Callee } from '../wasm/index.ts';
import type { GradientDesign } from './design.ts';
import { QUERIES } from './layout.ts';
import { type Tiling, UPSTREAM } from './products.ts';

/** queryRows(): packs the rows of the unit's block of queries and says in `calm` whether all are finite. */
export function writeQueryRowsOf(kernel: Kernel, gradient: GradientDesign, tiling: Tiling): Callee {
  return routine(kernel, [], (site) => {
    const { layout, unit, design } = site;
    setUnit(site, 'calm', 1);
    for (const name of tiling.rows) {
      const upstream = name === UPSTREAM;
      const width = upstream ? gradient.width : widthOf(design.program, name);
      if (width === 0) continue;
      const dtype = upstream ? design.program.dtype : (design.program.inputs[name] as AttendInput).dtype;
      packRows(site, name, dtype as StoredDType, width, add(site, unit, layout.unit.at(`rows:${name}`)));
    }
  });
}

function packRows(site: Site, name: string, dtype: StoredDType, width: number, area: Int): void {
  const { code, design, steps } = site;
  const s = simd(site, 1);
  const step = steps[`${name}:features`] ?? 'any';
  const [byQuery, byFeature] = [strideOn(site, name, AXIS.query), strideOn(site, name, FIRST_OWN)];
  const rows = unitWord(site, 'rows');
  const row = scaled(site, unitWord(site, `base:${name}`), unitWord(site, 'first'), byQuery);
  const to = code.let('i32', area);
  each(site, 0, rows, 1, () => {
    const [pointer, out, left] = [code.let('i32', row), code.let('i32', to), code.let('i32', width)];
    const cursor: Cursor = { dtype, step, pointer, stride: byFeature };
    code.loop((again) => {
      code.access('v128.store', 0, out, load(s, cursor, left)[0] as Vector);
      if (step === 'unit') code.set(pointer, code.op('i32.add', pointer, 4 * bytesOf(dtype)));
      else code.set(pointer, code.op('i32.add', code.op('i32.shl', byFeature, 2), pointer));
      code.set(out, code.op('i32.add', out, 16));
      code.branchIf(again, code.op('i32.gt_s', code.tee(left, code.op('i32.sub', left, 4)), 0));
    });
    code.set(row, code.op('i32.add', row, byQuery));
    code.set(to, code.op('i32.add', to, width * 4));
  });
  // Rows behind the last query, and what the last one was read too far.
  const rest = code.let('i32', code.op('i32.sub', add(site, area, QUERIES * width * 4 + 32), to));
  code.fill(to, 0, rest);
  if (design.formulas.mask) {
    const numbers = code.let('i32', code.op('i32.mul', rows, width));
    const found = strangeness(site, s, area, numbers);
    code.if(code.op('i32.eqz', found), () => setUnit(site, 'calm', 0));
  }
}

/** Whether `numbers` floats, one behind the other, are finite; behind them lie zeros. */
function strangeness(site: Site, s: Simd, from: Int, numbers: Int): Int {
  const strange = s.variables(s.zero());
  const at = add(site, from, 0);
  each(site, 0, numbers, 4, () => {
    take(site, s, strange, at, 0);
    site.code.set(at, site.code.op('i32.add', at, 16));
  });
  return isCalm(site, s, strange);
}

/** x * 0 is NaN for NaN and infinities, and stays NaN in a sum. */
function take({ code }: Site, s: Simd, strange: Lanes, at: Int, offset: number, splat = false): void {
  const found = code.let('v128', code.load(splat ? 'v128.load32_splat' : 'v128.load', at, offset));
  s.assign(strange, s.op('f32x4.add', strange, s.op('f32x4.mul', [found], s.zero())));
}

const isCalm = ({ code }: Site, s: Simd, strange: Lanes): Int =>
  code.let('i32', code.op('i32x4.all_true', s.op('f32x4.eq', strange, strange)[0] as Vector));

/**
 * keyRows(): says in `finite` whether the block's rows of keys that products sum are finite, and so are the queries. For
 * attentions with a mask: only what some pairs may not see must be kept from them.
 */
export function writeCheckKeys(kernel: Kernel, tiling: Tiling): Callee {
  const names = [...new Set(tiling.products.map(({ row }) => row))].filter(
    (row) => !tiling.rows.includes(row),
  );
  return routine(kernel, [], (site) => {
    const { code, design } = site;
    setUnit(site, 'finite', unitWord(site, 'calm'));
    const s = simd(site, 1);
    const strange = s.variables(s.zero());
    for (const name of names) {
      const width = widthOf(design.program, name);
      const [row, step] = [unitWord(site, `row:${name}`), unitWord(site, `step:${name}`)];
      each(site, 0, unitWord(site, 'count'), 1, () => {
        const at = code.let('i32', row);
        each(site, 0, width >> 2, 1, () => {
          take(site, s, strange, at, 0);
          code.set(at, code.op('i32.add', at, 16));
        });
        for (let rest = 0; rest < width % 4; rest++) take(site, s, strange, at, rest * 4, true);
        code.set(row, code.op('i32.add', row, step));
      });
    }
    code.if(code.op('i32.eqz', isCalm(site, s, strange)), () => setUnit(site, 'finite', 0));
  });
}
