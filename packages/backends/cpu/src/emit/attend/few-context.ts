// The context of one query: lanes are features, several vectors of them summed side by side over the keys.

import { type LoadFeatures, parted, readFeatures, rejoined, togetherOf } from './features.ts';
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
export function writeContext(site: Site, summed: Summed): void {
  const { value } = site.design.program;
  readFeatures(site, value, summed.from, summed.to, (load) => writeSums(site, summed, load));
}

function writeSums(site: Site, { index, from, to, tile, decay, guard }: Summed, load: LoadFeatures): void {
  const { code, design, layout, sub } = site;
  const { program, width } = design;
  const dtype = dtypeOf(program, program.value);
  const s = simd(site, 1);
  const step = unitWord(site, `step:${program.value}`);
  const first = scaled(site, unitWord(site, `row:${program.value}`), from, step);
  const context = scaled(site, add(site, sub, layout.sub.at('contexts')), index, paddedBytes(width));
  const all = Math.ceil(width / 4);
  const together = togetherOf(dtype);
  for (let vector = 0; vector < all; vector += VECTORS) {
    const count = Math.min(VECTORS, all - vector);
    const sums = Array.from({ length: count }, (_, i) =>
      code.let('v128', code.load('v128.load', context, (vector + i) * 16)),
    );
    /** Changes the order of the features that are loaded together. */
    const reorder = (by: typeof parted): void => {
      for (let i = 0; together === 2 && i + 1 < count; i += 2) {
        const [a, b] = [sums[i] as Vector, sums[i + 1] as Vector];
        s.withGroup(2).assign([a, b], by(s, [a, b]));
      }
    };
    reorder(parted);
    code.if(decay, () => {
      const by = code.let('v128', code.load('v128.load32_splat', decay));
      for (const sum of sums) code.set(sum, code.op('f32x4.mul', sum, by));
    });
    const value = code.let('i32', first);
    const weight = scaled(site, tile, from, 4);
    const visit = (): void => {
      const by = code.let('v128', code.load('v128.load32_splat', weight));
      // Each is loaded right before it is used: together they would not fit the registers.
      for (let i = 0; i < count; ) {
        const loaded = i + 1 < count ? together : 1;
        const found = load(value, (vector + i) * 4, loaded);
        found.forEach((one, n) => {
          const sum = sums[i + n] as Vector;
          code.set(sum, s.vector(s.madd([by], [one], [sum]), 0));
        });
        i += loaded;
      }
    };
    const walk = (write: (row: Int) => void): void =>
      each(site, from, to, 1, (row) => {
        write(row);
        code.set(value, code.op('i32.add', value, step));
        code.set(weight, code.op('i32.add', weight, 4));
      });
    if (design.formulas.mask) {
      code.if(
        guard,
        () => walk((row) => code.if(code.load('i32.load', scaled(site, guard, row, 4)), visit)),
        () => walk(visit),
      );
    } else walk(visit);
    reorder(rejoined);
    sums.forEach((sum, i) => {
      code.access('v128.store', (vector + i) * 16, context, sum);
    });
  }
}
