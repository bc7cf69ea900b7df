// A block of queries of one head: by tiles where the gradient has matrix products, and one pair after the other where it
// has none, or where a block of keys holds what is not finite.

import { writeBounds } from '../attend/interval.ts';
import { writeJoint } from '../attend/joint.ts';
import { LANES } from '../attend/layout.ts';
import { writeCheaperKeys, writeKeyRows } from '../attend/pack-keys.ts';
import { writeCheaperQueries, writeProductRows } from '../attend/pack-queries.ts';
import { writeScores } from '../attend/pairs.ts';
import {
  add,
  call,
  each,
  type Kernel,
  least,
  most,
  number,
  routine,
  type Site,
  scaled,
  setSub,
  setUnit,
  simd,
  subWord,
  unitWord,
} from '../attend/site.ts';
import { TileSource } from '../attend/source.ts';
import {
  eachAbreast,
  eachBlock,
  eachGroup,
  eachSub,
  ifRows,
  recordsEnd,
  setMate,
  writePlace,
  writeRange,
} from '../attend/span.ts';
import { ExpressionWriter } from '../expression.ts';
import type { Callee } from '../wasm/index.ts';
import {
  writeNothing,
  writeOwnQueries,
  writeRows,
  writeSumsOfRows,
  writeToKeys,
  writeToQueries,
  writeUp,
} from './block.ts';
import type { GradientDesign } from './design.ts';
import { hasExcess } from './excess.ts';
import { writeFolds } from './fold.ts';
import { RECORD_TILES } from './layout.ts';
import { TILE } from './outer-kernel.ts';
import { writePair, writeSumsOfPair } from './pair.ts';
import type { Tiling } from './products.ts';
import { flush } from './put.ts';
import { writeCheckKeys, writeQueryRowsOf } from './query-rows.ts';
import { addSink, finishSums, prepareRows } from './rows.ts';

/** What is done for 8 queries, whatever the formulas. */
interface Steps {
  readonly prepare: Callee;
  readonly finishSums: Callee;
  readonly give: Callee;
}

function stepsOf(kernel: Kernel, gradient: GradientDesign): Steps {
  const { program, targets } = gradient;
  return {
    prepare: routine(kernel, [], (site) => {
      prepareRows(site, gradient);
      writeBounds(site);
    }),
    finishSums: routine(kernel, [], (site) => finishSums(site, gradient)),
    give: routine(kernel, [], (site) => {
      addSink(site, gradient);
      const s = simd(site, 2);
      flush(site, new ExpressionWriter(s, new TileSource(site, { rows: [] }), program.of.sizes), targets);
    }),
  };
}

/** pairs(): what the record's pairs with the keys of the unit's block give, one after the other. */
const writePairs = (kernel: Kernel, gradient: GradientDesign): Callee =>
  sweep(kernel, writePair(kernel, gradient));

/** Calls a routine for every key of the block that the mask may allow. */
const sweep = (kernel: Kernel, visit: Callee): Callee =>
  routine(kernel, [], (site) => {
    const block = unitWord(site, 'block');
    const end = site.code.let('i32', site.code.op('i32.add', block, unitWord(site, 'count')));
    each(site, most(site, subWord(site, 'low'), block), least(site, subWord(site, 'high'), end), 1, (key) =>
      call(site, visit, key),
    );
  });

/** Goes through the keys ahead where sums are needed: always for rho, else for levels that say too little. */
function ifSummed(site: Site, gradient: GradientDesign, write: () => void): void {
  if (gradient.sums === 'sweep') write();
  else site.code.if(unitWord(site, 'large'), write);
}

/** Says which queries the unit's records have, and where their tiles lie. */
function placeRecords(site: Site, tiled: boolean): void {
  const { code, layout, unit, abreast } = site;
  setUnit(site, 'large', 0);
  const query = unitWord(site, 'first');
  const left = unitWord(site, 'rows');
  const coefficients = tiled ? add(site, unit, layout.unit.at('coefficients')) : null;
  const tiles = tiled ? add(site, unit, layout.unit.at('tiles')) : null;
  const [end, second] = [recordsEnd(site, unitWord(site, 'subs')), code.let('i32', 0)];
  eachSub(site, () => {
    setSub(site, 'query', query);
    setSub(site, 'left', least(site, left, LANES));
    setMate(site, end);
    if (coefficients && tiles) {
      // Records abreast have tiles of their own, in which one group follows the other.
      const tile = scaled(site, tiles, second, RECORD_TILES);
      for (const [i, word] of ['tile', 'allowed', 'up'].entries())
        setSub(site, word, add(site, tile, i * TILE));
      if (abreast === 2) code.set(second, code.op('i32.sub', 1, second));
      setSub(site, 'coefficients', coefficients);
      code.set(coefficients, code.op('i32.add', coefficients, TILE));
    }
    code.set(query, code.op('i32.add', query, LANES));
    code.set(left, code.op('i32.sub', left, LANES));
  });
}

/** block(): a block of queries, one pair after the other. */
export function writePairwise(kernel: Kernel, gradient: GradientDesign): Callee {
  const steps = stepsOf(kernel, gradient);
  const summed = gradient.sums === 'sweep' || hasExcess(gradient);
  const sums = summed ? sweep(kernel, writeSumsOfPair(kernel, gradient)) : null;
  const pairs = writePairs(kernel, gradient);
  return routine(kernel, [], (site) => {
    placeRecords(site, false);
    setUnit(site, 'block', 0);
    setUnit(site, 'count', number(site, 'keyLength'));
    eachSub(site, () => {
      call(site, steps.prepare);
      if (sums) ifSummed(site, gradient, () => call(site, sums));
      call(site, steps.finishSums);
      call(site, pairs);
      call(site, steps.give);
    });
  });
}

/** block(): a block of queries, by tiles. */
export function writeTiled(kernel: Kernel, gradient: GradientDesign, tiling: Tiling): Callee {
  const steps = stepsOf(kernel, gradient);
  const prepare = routine(kernel, [], (site) => {
    writeProductRows(site, 1);
    writeCheaperQueries(site);
  });
  const pack = routine(kernel, [], (site) => {
    writeKeyRows(site, [...new Set([...site.layout.operands.keys, gradient.program.of.value])]);
    writeCheaperKeys(site);
  });
  const queryRows = writeQueryRowsOf(kernel, gradient, tiling);
  // Where all pairs are allowed, what is not finite reaches all that it may reach.
  const guard = kernel.design.formulas.mask
    ? { check: writeCheckKeys(kernel, tiling), pairs: writePairs(kernel, gradient) }
    : null;
  const place = writePlace(kernel);
  const product = writeJoint(kernel);
  const scores = writeScores(kernel);
  const up = writeUp(kernel, gradient);
  const sums = writeSumsOfRows(kernel, gradient, tiling);
  const rows = writeRows(kernel, gradient, tiling);
  const nothing = writeNothing(kernel, tiling);
  const folds = tiling.folds.length > 0 ? writeFolds(kernel, tiling) : null;
  const toQueries = writeToQueries(kernel, tiling);
  const ownQueries = writeOwnQueries(kernel, tiling);
  const toKeys = writeToKeys(kernel, tiling);
  /** What records abreast are given together. */
  const begin = (site: Site, upstream: boolean): void => {
    eachAbreast(site, () => call(site, place));
    if (product) call(site, product);
    if (up && upstream) call(site, up);
  };
  const tiles = (site: Site): void => {
    const { code } = site;
    eachGroup(site, () => {
      begin(site, true);
      eachAbreast(site, () =>
        code.if(
          code.op('i32.lt_s', subWord(site, 'from'), subWord(site, 'to')),
          () => {
            call(site, scores);
            call(site, rows);
            if (folds) call(site, folds);
            if (ownQueries) call(site, ownQueries);
          },
          () => call(site, nothing),
        ),
      );
      call(site, toQueries);
    });
    call(site, toKeys);
  };
  return routine(kernel, [], (site) => {
    const { code } = site;
    placeRecords(site, true);
    eachSub(site, () => {
      call(site, steps.prepare);
      call(site, prepare);
    });
    call(site, queryRows);
    writeRange(site);
    if (sums) {
      ifSummed(site, gradient, () =>
        eachBlock(site, () => {
          call(site, pack);
          eachGroup(site, () => {
            begin(site, gradient.sums === 'sweep');
            eachAbreast(site, () =>
              ifRows(site, () => {
                call(site, scores);
                call(site, sums);
              }),
            );
          });
        }),
      );
    }
    eachSub(site, () => call(site, steps.finishSums));
    eachBlock(site, () => {
      call(site, pack);
      if (!guard) {
        tiles(site);
        return;
      }
      call(site, guard.check);
      code.if(
        unitWord(site, 'finite'),
        () => tiles(site),
        () => eachSub(site, () => call(site, guard.pairs)),
      );
    });
    eachSub(site, () => call(site, steps.give));
  });
}
