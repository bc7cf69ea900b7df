// Which keys a unit's queries look at: records of 8 queries, blocks of keys, and the rows of a block that a record may see.

import type { Callee } from '../wasm/index.ts';
import { BLOCK, FEW_BLOCK, LANES, LINE } from './layout.ts';
import { writeMask } from './pairs.ts';
import {
  add,
  call,
  each,
  type Int,
  type Kernel,
  least,
  most,
  number,
  routine,
  type Site,
  scaled,
  setSub,
  setUnit,
  subWord,
  unitWord,
} from './site.ts';

/** Where the records of the unit and their tiles lie. */
export function writePlaces(site: Site): void {
  const { code, design, abreast } = site;
  const rows = unitWord(site, 'rows');
  const first = unitWord(site, 'first');
  setUnit(site, 'subs', code.let('i32', code.op('i32.shr_u', add(site, rows, LANES - 1), 3)));
  const tiles = recordsEnd(site, number(site, 'unitSubs'));
  const tileBytes = code.let('i32', code.op('i32.mul', number(site, 'tileRows'), LINE));
  const each8 = code.let('i32', code.op('i32.shl', tileBytes, 1));
  const tile = code.let('i32', tiles);
  const both = scaled(site, each8, tiles, 2);
  const end = recordsEnd(site, unitWord(site, 'subs'));
  const query = code.let('i32', first);
  const left = code.let('i32', rows);
  eachSub(site, (record) => {
    setSub(record, 'query', query);
    setSub(record, 'left', least(site, left, LANES));
    setSub(record, 'tile', tile);
    setSub(record, 'allowed', add(site, tile, tileBytes));
    code.set(query, code.op('i32.add', query, LANES));
    code.set(left, code.op('i32.sub', left, LANES));
    setMate(record, end);
    // Tiles of all keys are each record's own; tiles of a block serve one group of records after the other.
    if (design.whole) code.set(tile, code.op('i32.add', tile, each8));
    else if (abreast === 2) code.set(tile, code.op('i32.sub', both, tile));
  });
  const tilesOf = design.whole ? number(site, 'unitSubs') : code.let('i32', abreast);
  setUnit(site, 'pooled', scaled(site, tiles, each8, tilesOf));
}

/** Says which record goes beside this one. The last may have none: it is its own mate. */
export function setMate(site: Site, end: Int): void {
  const { code, layout, sub } = site;
  const beside = add(site, sub, layout.sub.bytes);
  const exists = code.let('i32', code.op('i32.lt_u', beside, end));
  const mate = code.select('i32', code.get(beside), code.get(sub), code.get(exists));
  setSub(site, 'mate', code.let('i32', mate));
}

/** Where so many records of the unit end. */
export function recordsEnd(site: Site, records: Int): Int {
  const { layout, unit } = site;
  return scaled(site, add(site, unit, layout.unit.bytes), records, layout.sub.bytes);
}

/** Visits the unit's records. */
export function eachSub(site: Site, write: (record: Site) => void): void {
  const { code, layout, sub, unit } = site;
  code.set(sub, code.op('i32.add', unit, layout.unit.bytes));
  each(site, 0, unitWord(site, 'subs'), 1, () => {
    write(site);
    code.set(sub, code.op('i32.add', sub, layout.sub.bytes));
  });
}

/** Visits the unit's groups of records abreast, by the first of each. */
export function eachGroup(site: Site, write: () => void): void {
  const { code, layout, sub, unit, abreast } = site;
  code.set(sub, code.op('i32.add', unit, layout.unit.bytes));
  each(site, 0, unitWord(site, 'subs'), abreast, () => {
    write();
    code.set(sub, code.op('i32.add', sub, abreast * layout.sub.bytes));
  });
}

/** Visits the records of the group whose first is at hand. */
export function eachAbreast(site: Site, write: () => void): void {
  const { code, sub, abreast } = site;
  write();
  if (abreast === 1) return;
  const [first, mate] = [add(site, sub, 0), subWord(site, 'mate')];
  code.if(code.op('i32.ne', first, mate), () => {
    code.set(sub, mate);
    write();
    code.set(sub, first);
  });
}

/** Visits the blocks of keys in the unit's range. */
export function eachBlock(site: Site, write: () => void): void {
  const [from, to] = [unitWord(site, 'from'), unitWord(site, 'to')];
  const { code } = site;
  const length = site.few ? FEW_BLOCK : BLOCK;
  each(site, from, to, length, (block) => {
    setUnit(site, 'block', block);
    setUnit(site, 'count', least(site, code.let('i32', code.op('i32.sub', to, block)), length));
    write();
  });
}

export function ifRows(site: Site, write: () => void): void {
  site.code.if(site.code.op('i32.lt_s', subWord(site, 'from'), subWord(site, 'to')), write);
}

/** The keys that any of the unit's queries may see. */
export function writeRange(site: Site): void {
  const { code } = site;
  const from = number(site, 'keyLength');
  const to = code.let('i32', 0);
  eachSub(site, () => {
    const [low, high] = [subWord(site, 'low'), subWord(site, 'high')];
    code.if(code.op('i32.lt_s', low, high), () => {
      code.set(from, least(site, from, low));
      code.set(to, most(site, to, high));
    });
  });
  setUnit(site, 'from', from);
  setUnit(site, 'to', to);
}

/** place(): which rows of the block the record's queries may see: [from, to), of which [head, tail) surely. */
export function writePlace(kernel: Kernel): Callee {
  const mask = kernel.design.formulas.mask ? writeMask(kernel) : null;
  return routine(kernel, [], (site) => {
    const { code, design } = site;
    writeRowsWithin(site);
    const [from, to] = [subWord(site, 'from'), subWord(site, 'to')];
    if (!mask) {
      setSub(site, 'head', from);
      setSub(site, 'tail', to);
      return;
    }
    const block = unitWord(site, 'block');
    const relative = (word: string): Int => code.let('i32', code.op('i32.sub', subWord(site, word), block));
    const [sureFrom, sureTo] = [most(site, relative('sureLow'), from), least(site, relative('sureHigh'), to)];
    if (design.whole) {
      // All rows are marked: what follows asks for each whether it is allowed.
      code.set(sureFrom, to);
      code.set(sureTo, to);
    }
    const none = code.op('i32.ge_s', sureFrom, sureTo);
    code.if(none, () => {
      code.set(sureFrom, to);
      code.set(sureTo, to);
    });
    setSub(site, 'head', sureFrom);
    setSub(site, 'tail', sureTo);
    const first = code.let('i32', from);
    const last = code.let('i32', to);
    // Rows at either end that no query sees are left out.
    code.if(code.op('i32.lt_s', from, sureFrom), () => {
      call(site, mask, from, sureFrom);
      code.set(first, code.load('i32.load', site.sub, site.layout.sub.at('from')));
      const empty = code.op('i32.eq', code.load('i32.load', site.sub, site.layout.sub.at('to')), first);
      code.if(empty, () => code.set(first, sureFrom));
      const everything = code.op('i32.eq', sureFrom, to);
      code.if(everything, () => {
        code.set(last, code.load('i32.load', site.sub, site.layout.sub.at('to')));
        setSub(site, 'head', last);
        setSub(site, 'tail', last);
      });
    });
    code.if(code.op('i32.lt_s', sureTo, to), () => {
      call(site, mask, sureTo, to);
      code.set(last, code.load('i32.load', site.sub, site.layout.sub.at('to')));
    });
    if (design.whole) {
      code.set(first, from);
      code.set(last, to);
      setSub(site, 'head', to);
      setSub(site, 'tail', to);
    }
    setSub(site, 'from', first);
    setSub(site, 'to', last);
  });
}

/** The rows of the block that lie in the record's range. */
function writeRowsWithin(site: Site): void {
  const { code } = site;
  const [block, count] = [unitWord(site, 'block'), unitWord(site, 'count')];
  const relative = (word: string): Int => code.let('i32', code.op('i32.sub', subWord(site, word), block));
  setSub(site, 'from', most(site, relative('low'), 0));
  setSub(site, 'to', least(site, relative('high'), count));
}

/** span(): the same once scores are known, with every row marked. */
export function writeSpan(kernel: Kernel): Callee {
  return routine(kernel, [], (site) => {
    writeRowsWithin(site);
    const to = subWord(site, 'to');
    setSub(site, 'head', to);
    setSub(site, 'tail', to);
  });
}
