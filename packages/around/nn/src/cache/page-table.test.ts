import { describe, expect, it } from 'vitest';
import { PageTable, type Sequence } from './page-table.ts';

const empty: Sequence = { pages: [], length: 0 };
const pagesOf = ({ pages }: Sequence) => pages.map(({ index }) => index);
const one = (table: PageTable, sequence: Sequence, rows: number) => table.extend([sequence], rows)[0]!;

describe('a page table', () => {
  it('writes to the end of a page, and takes another when it is full', () => {
    const table = new PageTable(4, 3);
    const first = one(table, empty, 2);
    expect(first.writes).toEqual([{ page: 0, at: 0, from: 0, count: 2 }]);
    const second = one(table, first.sequence, 5);
    expect(second.writes).toEqual([
      { page: 0, at: 2, from: 0, count: 1 },
      { page: 1, at: 0, from: 1, count: 3 },
      { page: 2, at: 0, from: 4, count: 1 },
    ]);
    expect([second.copies, pagesOf(second.sequence), table.free]).toEqual([[], [0, 1, 2], 1]);
  });

  it('copies the last page of one of two that go on from it', () => {
    const table = new PageTable(6, 3);
    const base = one(table, empty, 5).sequence;
    const [a, b] = table.extend([base, table.share(base)], 1);
    expect([a?.copies, a?.writes]).toEqual([[], [{ page: 1, at: 2, from: 0, count: 1 }]]);
    expect([b?.copies, b?.writes]).toEqual([
      [{ from: 1, to: 2, count: 2 }],
      [{ page: 2, at: 2, from: 0, count: 1 }],
    ]);
    // What was there before is still what it was, and goes on in a page of its own.
    expect(one(table, base, 1).copies).toEqual([{ from: 1, to: 3, count: 2 }]);
  });

  it('shares full pages, and needs no copy where the last one is full', () => {
    const table = new PageTable(6, 2);
    const base = one(table, empty, 4).sequence;
    const [a, b] = table.extend([base, table.share(base)], 1);
    expect([a?.copies, b?.copies, pagesOf(a!.sequence), pagesOf(b!.sequence)]).toEqual([
      [],
      [],
      [0, 1, 2],
      [0, 1, 3],
    ]);
  });

  it('frees a page with the last sequence that has it, and writes over what nobody has any more', () => {
    const table = new PageTable(3, 2);
    const base = one(table, empty, 3).sequence;
    const next = one(table, base, 1).sequence;
    table.release(next);
    expect(table.free).toBe(1);
    expect(one(table, base, 1).writes).toEqual([{ page: 1, at: 1, from: 0, count: 1 }]);
    table.release(base);
    expect(table.free).toBe(1);
  });

  it('takes all that is needed, or nothing', () => {
    const table = new PageTable(3, 2);
    const base = one(table, empty, 1).sequence;
    expect(() => table.extend([base, table.share(base)], 4)).toThrow(
      'pagePool: 2 sequences that go on by 4 rows need 5 pages of 2 rows, and 2 of 3 are free.',
    );
    expect(table.free).toBe(2);
    // One more row each: the first writes to the page, the second to a copy.
    expect(table.extend([base, base], 1).map(({ copies }) => copies.length)).toEqual([0, 1]);
    expect(table.free).toBe(1);
  });
});
