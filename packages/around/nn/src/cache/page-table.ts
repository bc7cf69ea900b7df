// Which page holds which rows of which sequence, and who still needs it. Numbers only; no tensor.

import { ValueError } from '@heed/tensor';

/** A page of a pool, as its tables share it. */
interface Page {
  readonly index: number;
  /** How many sequences have it. */
  users: number;
  /** How many of its rows have been written: what lies beyond is nobody's. */
  filled: number;
}

/** One sequence: its pages in order, and how many rows it has seen. A value; its pages are shared. */
export interface Sequence {
  readonly pages: readonly Page[];
  readonly length: number;
}

/** Rows to be written: `count` of them from `from` on, to a page, at a place in it. */
export interface Write {
  readonly page: number;
  readonly at: number;
  readonly from: number;
  readonly count: number;
}

/** Rows of a page to be written to another before anything else: a page that was shared and is so no longer. */
export interface Copy {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** What it takes to make a sequence longer. */
export interface Extension {
  readonly sequence: Sequence;
  readonly copies: readonly Copy[];
  readonly writes: readonly Write[];
}

/** The pages of a pool, those in use and those that are free. */
export class PageTable {
  /** How many rows a page has. */
  readonly page: number;
  readonly #free: number[];
  readonly #count: number;

  constructor(count: number, page: number) {
    this.page = page;
    this.#count = count;
    // The first page is given out first.
    this.#free = Array.from({ length: count }, (_, i) => count - 1 - i);
  }

  /** How many pages nobody has. */
  get free(): number {
    return this.#free.length;
  }

  /** Another sequence of the same rows, which shares all pages. */
  share(sequence: Sequence): Sequence {
    for (const page of sequence.pages) page.users++;
    return { ...sequence };
  }

  /** Gives up a sequence; pages that nobody has any more are free. */
  release(sequence: Sequence): void {
    for (const page of sequence.pages) if (--page.users === 0) this.#free.push(page.index);
  }

  /**
   * Sequences that go on from these by `rows` rows each and share their full pages. All of them or none.
   *
   * @throws ValueError where there are not enough free pages.
   */
  extend(sequences: readonly Sequence[], rows: number): readonly Extension[] {
    // Of sequences that share a page, the first to go on may have it.
    const taken = new Set<Page>();
    const needed = sequences.reduce((all, one) => all + this.#needed(one, rows, taken), 0);
    if (needed > this.free)
      throw new ValueError(
        `pagePool: ${sequences.length} sequences that go on by ${rows} rows need ${needed} pages of ${this.page} rows, and ${this.free} ` +
          `of ${this.#count} are free. Dispose caches that are done with, or make the pool with more pages.`,
      );
    return sequences.map((one) => this.#extended(one, rows));
  }

  #needed({ pages, length }: Sequence, rows: number, taken: Set<Page>): number {
    const room = pages.length * this.page - length;
    const last = pages.at(-1);
    const shared =
      last !== undefined &&
      (taken.has(last) || !this.#writable(last, this.page - room)) &&
      rows > 0 &&
      room > 0;
    if (last) taken.add(last);
    return Math.ceil(Math.max(0, rows - room) / this.page) + Number(shared);
  }

  /** Whether a sequence that has `used` rows of a page may write the next ones: nobody else has, or will read them. */
  #writable(page: Page, used: number): boolean {
    return page.filled === used || page.users === 1;
  }

  #extended(sequence: Sequence, rows: number): Extension {
    const pages = [...sequence.pages];
    const copies: Copy[] = [];
    const writes: Write[] = [];
    const end = sequence.length + rows;
    for (let at = sequence.length; at < end; ) {
      const used = at % this.page;
      const number = Math.floor(at / this.page);
      const there = pages[number];
      if (!there) pages.push(this.#take());
      else if (!this.#writable(there, used)) {
        const own = this.#take();
        copies.push({ from: there.index, to: own.index, count: used });
        pages[number] = own;
      }
      const page = pages[number] as Page;
      const count = Math.min(end - at, this.page - used);
      writes.push({ page: page.index, at: used, from: at - sequence.length, count });
      page.filled = used + count;
      at += count;
    }
    for (const page of pages) page.users++;
    return { sequence: { pages, length: end }, copies, writes };
  }

  #take(): Page {
    return { index: this.#free.pop() as number, users: 0, filled: 0 };
  }
}
