// What records abreast are given at once: one product of the rows of keys that any of them sees. Each gets its own columns
// of the tile; rows that it does not see are computed and not looked at.

import type { Callee } from '../wasm/index.ts';
import type { Term } from './formula.ts';
import { type Design, LINE, widthOf } from './layout.ts';
import { tileOf } from './pairs.ts';
import { writeProducts } from './product-kernel.ts';
import {
  add,
  type Int,
  type Kernel,
  least,
  most,
  routine,
  type Site,
  scaled,
  subWord,
  unitWord,
} from './site.ts';

/** The product that a score is made of, if it is one and always computed. */
export function jointTerm({ formulas: { score, cheaper } }: Design): Term | null {
  const [term] = score.terms;
  return !cheaper && score.terms.length === 1 && term?.product ? term : null;
}

/** The record at hand and its mate, or it alone. */
export const abreast = (site: Site): readonly Site[] =>
  site.abreast === 1 ? [site] : [site, { ...site, sub: subWord(site, 'mate') }];

/** product(): writes the kernel's joint term of the rows of the block into the tiles of the records abreast. */
export function writeJoint(kernel: Kernel): Callee | null {
  const { design, joint, layout, writer } = kernel;
  if (!joint?.product) return null;
  const { key, query } = joint.product;
  const products = writeProducts(writer, widthOf(design.program, query), kernel.abreast);
  return routine(kernel, [], (site) =>
    withUnion(site, key, ({ records, from, keys, step, rows }) => {
      const queries = records.map(({ sub }) => add(site, sub, layout.sub.at(`product:${joint.name}`)));
      const tiles = records.map((record) => scaled(site, tileOf(record), from, LINE));
      site.code.call(products, keys, step, rows, ...queries, ...tiles);
    }),
  );
}

/** The rows of the block that any of the records abreast sees. */
interface Union {
  /** The records abreast; in place of one that sees nothing, the other. */
  readonly records: readonly Site[];
  /** The first row, and how many. */
  readonly from: Int;
  readonly rows: Int;
  /** Where an input's row lies that belongs to the first, and how far apart rows are. */
  readonly keys: Int;
  readonly step: Int;
}

/** Goes on with the rows of an input along keys that any of the records abreast sees, if there are any. */
export function withUnion(site: Site, input: string, write: (union: Union) => void): void {
  const { code } = site;
  const records = seeing(site);
  const all = (word: 'from' | 'to', pick: typeof least): Int =>
    records.map((record) => subWord(record, word)).reduce((a, b) => pick(site, a, b));
  const [from, to] = [all('from', least), all('to', most)];
  code.if(code.op('i32.lt_s', from, to), () => {
    const step = unitWord(site, `step:${input}`);
    const keys = scaled(site, unitWord(site, `row:${input}`), from, step);
    write({ records, from, rows: code.let('i32', code.op('i32.sub', to, from)), keys, step });
  });
}

function seeing(site: Site): readonly Site[] {
  const { code } = site;
  const records = abreast(site);
  if (records.length === 1) return records;
  return records.map((record, i) => {
    const other = records[1 - i] as Site;
    const sees = code.let('i32', code.op('i32.lt_s', subWord(record, 'from'), subWord(record, 'to')));
    const sub = code.let(
      'i32',
      code.select('i32', code.get(record.sub), code.get(other.sub), code.get(sees)),
    );
    return { ...site, sub };
  });
}
