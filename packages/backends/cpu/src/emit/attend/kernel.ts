// Attention as one function over units of work: a block of queries of one head, against all keys that the mask allows.
//
//   for each block of keys                       K and V of a block stay in the second-level cache
//     for each 8 queries                       two by two where the tile is wide enough for both
//       which pairs are allowed                  only where the mask's edge crosses the block
//       scores                                   matrix products and other reductions by tiles, the rest lane by lane
//       weights, and how much older sums shrink
//       context += weights * values
//   contexts, levels, weights
//
// Lanes are queries: maxima, sums, masks and formulas need nothing horizontal. After Dao et al. 2022 (arXiv 2205.14135) and
// notes/wasm-prototype.md section 4. Functions are small and called often: V8 has no on-stack replacement.

import { type Body, type Emitted, KernelWriter } from '../kernel.ts';
import type { Machine } from '../machine.ts';
import type { Callee } from '../wasm/index.ts';
import { writeFewBlock, writeGathered, writeSpread } from './few.ts';
import { PARTS, partBytes, writeKeep, writeMerge, writePartOfRange } from './few-parts.ts';
import { writeBounds } from './interval.ts';
import { jointTerm, writeJoint } from './joint.ts';
import { type AttendShape, abreastOn, type Design, type Layout, tensorsOf } from './layout.ts';
import { writeLevel } from './level.ts';
import { writeClear, writeFinish, writePooled, writeSettle, writeShow } from './outputs.ts';
import { writeCheaperKeys, writeKeyRows, writeSharedRows } from './pack-keys.ts';
import {
  writeCheaperQueries,
  writeConstants,
  writeEmpty,
  writeNumbers,
  writeProductRows,
  writeQueryRows,
} from './pack-queries.ts';
import { writeScores } from './pairs.ts';
import {
  AXIS,
  add,
  call,
  each,
  type Int,
  type Kernel,
  least,
  number,
  routine,
  type Site,
  scaled,
  setUnit,
  strideOn,
} from './site.ts';
import {
  eachAbreast,
  eachBlock,
  eachGroup,
  eachSub,
  ifRows,
  writePlace,
  writePlaces,
  writeRange,
  writeSpan,
} from './span.ts';
import { writeRelative, writeStream } from './stream.ts';
import { writeSum } from './sum.ts';
import { writeReweigh, writeWeigh } from './weigh.ts';

export function emitAttend(
  design: Design,
  shape: AttendShape,
  layout: Layout,
  machine: Machine,
  checked: boolean,
): Emitted {
  const writer = new KernelWriter(machine, checked);
  return writer.run((body) => {
    const kernel: Kernel = {
      writer,
      design,
      layout,
      steps: shape.steps,
      direct: new Set(shape.direct),
      few: shape.few,
      abreast: shape.few ? 1 : abreastOn(machine),
      joint: shape.few ? null : jointTerm(design),
    };
    const unit = shape.few ? writeFewUnit(kernel, shape) : writeUnit(kernel);
    writeUnits(body, kernel, shape, unit);
  });
}

/** Says where each unit lies and what it shares, and does it. */
function writeUnits(body: Body, kernel: Kernel, { share }: AttendShape, unit: Callee): void {
  const { code, frame, begin, end, pool, scratch } = body;
  const base = code.let('i32', code.op('i32.and', code.op('i32.add', scratch, 63), -64));
  const site: Site = { ...kernel, code, frame, pool, unit: base, sub: base };
  const rows = number(site, 'unitRows');
  const blocks = number(site, 'unitBlocks');
  const [heads, keyHeads, queries] = [
    number(site, 'heads'),
    number(site, 'keyHeads'),
    number(site, 'queryLength'),
  ];
  each(site, begin, end, 1, (own) => {
    const at = code.let('i32', own);
    if (share !== 'all') writePartOf(site, share, at);
    // The last queries first: under a causal mask they see the most keys, and nobody should begin with these at the end.
    const before = add(site, code.let('i32', code.op('i32.rem_u', at, blocks)), 1);
    const block = code.let('i32', code.op('i32.sub', blocks, before));
    const matrix = code.let('i32', code.op('i32.div_u', at, blocks));
    const head = code.let('i32', code.op('i32.rem_u', matrix, heads));
    const batch = code.let('i32', code.op('i32.div_u', matrix, heads));
    const keyHead = code.let('i32', code.op('i32.div_u', code.op('i32.mul', head, keyHeads), heads));
    for (const [name, value] of Object.entries({ batch, head, keyHead })) setUnit(site, name, value);
    const first = code.let('i32', code.op('i32.mul', block, rows));
    setUnit(site, 'first', first);
    const count = least(site, code.let('i32', code.op('i32.sub', queries, first)), rows);
    setUnit(site, 'rows', count);
    for (const tensor of tensorsOf(kernel.design.program)) {
      const address = code.let(
        'i32',
        code.load('i32.load', frame, kernel.writer.word({ of: 'address', tensor })),
      );
      const inBatch = scaled(site, address, batch, strideOn(site, tensor, AXIS.batch));
      const inHead = scaled(site, inBatch, head, strideOn(site, tensor, AXIS.head));
      setUnit(site, `base:${tensor}`, scaled(site, inHead, keyHead, strideOn(site, tensor, AXIS.keyHead)));
    }
    call(site, unit);
  });
}

/** Says where a unit finds or leaves what parts of the keys gave; a unit that is a part becomes the one that it is of. */
function writePartOf(site: Site, share: 'part' | 'merge', at: Int): void {
  const { code, design, frame, writer } = site;
  const parts = number(site, 'parts');
  const found = code.let('i32', code.load('i32.load', frame, writer.word({ of: 'address', tensor: PARTS })));
  const first = share === 'part' ? at : code.let('i32', code.op('i32.mul', at, parts));
  setUnit(site, 'found', scaled(site, found, first, partBytes(design)));
  if (share === 'merge') return;
  setUnit(site, 'part', code.let('i32', code.op('i32.rem_u', at, parts)));
  code.set(at, code.op('i32.div_u', at, parts));
}

function writeUnit(kernel: Kernel): Callee {
  const { design } = kernel;
  const { by, whole, weights, formulas } = design;
  const steps = {
    shared: routine(kernel, [], writeSharedRows),
    prepare: writePrepare(kernel),
    pack: writePack(kernel, true),
    packValues: writePack(kernel, false),
    place: writePlace(kernel),
    product: writeJoint(kernel),
    scores: writeScores(kernel),
    sum: writeSum(kernel),
    finish: writeFinish(kernel),
  };
  const optional = {
    clear: weights === 'none' ? null : writeClear(kernel),
    show: weights === 'none' ? null : writeShow(kernel),
    pooled: weights === 'pooled' ? writePooled(kernel) : null,
    stream: by === 'log-sum-exp' ? writeStream(kernel) : null,
    settle: by === 'log-sum-exp' ? writeSettle(kernel) : null,
    relative: by === 'log-sum-exp' && weights !== 'none' ? writeRelative(kernel) : null,
    weigh: by === 'log-sum-exp' ? null : writeWeigh(kernel),
    reweigh: by === 'log-sum-exp' && formulas.reweight ? writeReweigh(kernel, false) : null,
    reweighKnown:
      by === 'log-sum-exp' && formulas.reweight && weights !== 'none' ? writeReweigh(kernel, true) : null,
    level: whole ? writeLevel(kernel) : null,
    span: whole ? writeSpan(kernel) : null,
  };
  return routine(kernel, [], (site) => {
    const run = (step: Callee | null): void => {
      if (step) call(site, step);
    };
    /** Records abreast: where they lie, what they are given together, then each on its own. */
    const group = (place: Callee | null, product: Callee | null, own: () => void): void => {
      eachAbreast(site, () => run(place));
      run(product);
      eachAbreast(site, () => ifRows(site, own));
    };
    writePlaces(site);
    run(steps.shared);
    run(optional.clear);
    eachSub(site, () => run(steps.prepare));
    writeRange(site);
    eachBlock(site, () => {
      run(steps.pack);
      eachGroup(site, () => {
        group(steps.place, steps.product, () => {
          run(steps.scores);
          if (whole) return;
          run(optional.stream);
          run(optional.weigh);
          run(optional.reweigh);
          if (by === 'none') run(optional.show);
        });
        if (!whole) run(steps.sum);
      });
    });
    if (whole) {
      eachSub(site, () => run(optional.level));
      eachBlock(site, () => {
        run(steps.packValues);
        eachGroup(site, () => {
          group(optional.span, null, () => {
            run(optional.weigh);
            run(optional.show);
          });
          run(steps.sum);
        });
      });
    }
    if (by === 'log-sum-exp') eachSub(site, () => run(optional.settle));
    eachSub(site, () => run(steps.finish));
    if (optional.relative) {
      eachBlock(site, () => {
        run(steps.pack);
        eachGroup(site, () => {
          group(steps.place, steps.product, () => {
            run(steps.scores);
            run(optional.relative);
            run(optional.reweighKnown);
            run(optional.show);
          });
        });
      });
    }
    run(optional.pooled);
  });
}

/** A unit of few queries, each on its own: all of their keys, a part of these, or what parts have left. */
function writeFewUnit(kernel: Kernel, { share }: AttendShape): Callee {
  const steps = {
    shared: routine(kernel, [], writeSharedRows),
    prepare: writePrepare(kernel),
  };
  const search =
    share === 'merge'
      ? null
      : {
          spread: writeSpread(kernel),
          block: writeFewBlock(kernel),
          gathered: writeGathered(kernel),
        };
  const between = share === 'all' ? null : share === 'part' ? writeKeep(kernel) : writeMerge(kernel);
  const settle = share !== 'part' && kernel.design.by === 'log-sum-exp' ? writeSettle(kernel) : null;
  const finish = share === 'part' ? null : writeFinish(kernel);
  return routine(kernel, [], (site) => {
    const all = (...some: readonly (Callee | null)[]): void =>
      eachSub(site, () => {
        for (const step of some) if (step) call(site, step);
      });
    writePlaces(site);
    call(site, steps.shared);
    all(steps.prepare);
    if (search) {
      all(search.spread);
      writeRange(site);
      if (share === 'part') writePartOfRange(site);
      eachBlock(site, () => all(search.block));
      all(search.gathered);
    }
    all(between, settle, finish);
  });
}

/** prepare(): all that 8 queries need before the loop over keys. */
function writePrepare(kernel: Kernel): Callee {
  return routine(kernel, [], (site) => {
    // Scores that are a product alone are counted in powers of two from the beginning.
    const unitOfScores = site.design.by === 'log-sum-exp' ? Math.LOG2E : 1;
    writeNumbers(site);
    writeQueryRows(site);
    writeConstants(site);
    writeProductRows(site, unitOfScores);
    writeCheaperQueries(site);
    writeEmpty(site);
    writeBounds(site);
  });
}

/** pack(): points to the rows of a block of keys and values. */
function writePack(kernel: Kernel, scores: boolean): Callee {
  return routine(kernel, [], (site) => {
    const { design, layout } = site;
    const names = new Set([...(scores ? layout.operands.keys : []), design.program.value]);
    writeKeyRows(site, [...names]);
    if (scores) writeCheaperKeys(site);
  });
}
