// The context of one query: lanes are features, several vectors of them summed side by side over the keys.

import { bytesOf } from '../geometry.ts';
import { loadFeatures, togetherOf } from './features.ts';
import { dtypeOf, paddedBytes } from './layout.ts';
import { add, each, type Int, type Site, scaled, simd, unitWord, type Vector } from './site.ts';

/** Vectors of a context that are summed side by side. */
const VECTORS = 8;

interface Summed {
  readonly index: Int;
  readonly from: Int;
  readonly to: Int;
  readonly tile: Int;
  /** The address of what the context shrinks by; 0 where it does not. */
  readonly decay: Int;
  /** The address of which keys are allowed; 0 where all are. Values of others are not looked at. */
  readonly guard: Int;
}

/** Adds the values of the block's rows [from, to), weighed by the tile, to a query's context. */
export function writeContext(site: Site, { index, from, to, tile, decay, guard }: Summed): void {
  const { code, design, layout, sub } = site;
  const { program, width } = design;
  const dtype = dtypeOf(program, program.value);
  const s = simd(site, 1);
  const step = unitWord(site, `step:${program.value}`);
  const first = scaled(site, unitWord(site, `row:${program.value}`), from, step);
  const context = scaled(site, add(site, sub, layout.sub.at('contexts')), index, paddedBytes(width));
  const all = Math.ceil(width / 4);
  for (let vector = 0; vector < all; vector += VECTORS) {
    const count = Math.min(VECTORS, all - vector);
    const sums = Array.from({ length: count }, (_, i) =>
      code.let('v128', code.load('v128.load', context, (vector + i) * 16)),
    );
    code.if(decay, () => {
      const by = code.let('v128', code.load('v128.load32_splat', decay));
      for (const sum of sums) code.set(sum, code.op('f32x4.mul', sum, by));
    });
    const value = code.let('i32', first);
    const visit = (row: Int): void => {
      const weight = code.let('v128', code.load('v128.load32_splat', scaled(site, tile, row, 4)));
      const pointer = add(site, value, vector * 4 * bytesOf(dtype));
      // Each is loaded right before it is used: together they would not fit the registers.
      for (let i = 0; i < count; ) {
        const together = i + 1 < count ? togetherOf(dtype) : 1;
        const found = loadFeatures(site, dtype, pointer, i * 4, together);
        found.forEach((one, n) => {
          const sum = sums[i + n] as Vector;
          code.set(sum, s.vector(s.madd([weight], [one], [sum]), 0));
        });
        i += together;
      }
    };
    const walk = (write: (row: Int) => void): void =>
      each(site, from, to, 1, (row) => {
        write(row);
        code.set(value, code.op('i32.add', value, step));
      });
    if (design.formulas.mask) {
      code.if(
        guard,
        () => walk((row) => code.if(code.load('i32.load', scaled(site, guard, row, 4)), () => visit(row))),
        () => walk(visit),
      );
    } else walk(visit);
    sums.forEach((sum, i) => {
      code.access('v128.store', (vector + i) * 16, context, sum);
    });
  }
}
