// From scores and levels to the weights that values are summed with.

import type { Node } from '@heed/expr';
import type { Callee } from '../wasm/index.ts';
import { stageOf, weightFormula } from './level.ts';
import { eachRow, tileOf, writeFormula } from './pairs.ts';
import { type Int, type Kernel, routine, type Site, subLanes, subWord } from './site.ts';
import type { Given } from './source.ts';

/** weigh(): scores become weights by the formula of the weight (no level, or one that is known) and the reweight. */
export function writeWeigh(kernel: Kernel): Callee {
  return routine(kernel, [], (site) => {
    const { formulas, whole } = site.design;
    const tile = tileOf(site);
    const known = whole ? { level: subLanes(site, 'level'), maximum: subLanes(site, 'maximum') } : null;
    const alive = whole ? subLanes(site, 'alive') : null;
    eachRow(site, subWord(site, 'from'), subWord(site, 'to'), 1, (rows) => {
      const { s } = rows;
      const score = rows.load(tile);
      const given: Given = known ? stageOf(site, s, score, known) : new Map([['score', () => score]]);
      const weight = writeFormula(site, rows, weightFormula(formulas), given);
      const changed = formulas.reweight
        ? s.op('f32x4.mul', weight, writeFormula(site, rows, formulas.reweight, given))
        : weight;
      rows.store(tile, alive ? s.op('v128.and', changed, alive) : changed);
    });
    writeForgetting(site);
  });
}

/** reweigh(known): multiplies weights by the reweight; rows that take no part stay zero, once that is known. */
export function writeReweigh(kernel: Kernel, known: boolean): Callee {
  return routine(kernel, [], (site) => {
    const { formulas } = site.design;
    const tile = tileOf(site);
    const alive = known ? subLanes(site, 'alive') : null;
    eachRow(site, subWord(site, 'from'), subWord(site, 'to'), 1, (rows) => {
      const { s } = rows;
      const changed = s.op('f32x4.mul', rows.load(tile), writeFormula(site, rows, formulas.reweight as Node));
      rows.store(tile, alive ? s.op('v128.and', changed, alive) : changed);
    });
    writeForgetting(site);
  });
}

/** Weights of pairs that are not allowed become zero, whatever the formulas made of their scores. */
function writeForgetting(site: Site): void {
  if (!site.design.formulas.mask) return;
  const [from, to, head, tail] = (['from', 'to', 'head', 'tail'] as const).map((word) =>
    subWord(site, word),
  ) as [Int, Int, Int, Int];
  const [tile, allowed] = [tileOf(site), tileOf(site, 'allowed')];
  for (const [first, end] of [
    [from, head],
    [tail, to],
  ] as const) {
    eachRow(site, first, end, 1, ({ s, load, store }) =>
      store(tile, s.op('v128.and', load(tile), load(allowed))),
    );
  }
}
