// Caches whose rows lie in pages of one pool: sequences of unlike length, which share pages until they part.

import { asExpr, Graph, input } from '@heed/expr';
import {
  cast,
  type Device,
  dispatch,
  type FloatDType,
  GradientError,
  isRecording,
  type MapProgram,
  ShapeError,
  scope,
  type Tensor,
  take,
  tensor,
  typeOf,
  ValueError,
  zeros,
} from '@heed/tensor';
import type { KeyValueCache, Remembered } from './cache.ts';
import { type Extension, PageTable, type Sequence } from './page-table.ts';

export interface PagePoolOptions {
  /** How many pages there are, for all sequences together. They are allocated at once. */
  readonly pages: number;
  /** How many rows a page has; 16 if left out. */
  readonly page?: number;
  /** Heads of keys and values: `keyHeads` of the layer. */
  readonly heads: number;
  /** The width of a key in a head. */
  readonly width: number;
  /** The width of a value in a head; `width` if left out. */
  readonly valueWidth?: number;
  /** Of keys and values; float32 if left out. */
  readonly dtype?: FloatDType;
}

/** Memory for the keys and values of one layer. */
export interface PagePool {
  /** Empty sequences. */
  readonly start: (sequences: number) => PagedCache;
  /** The sequences of several caches of this pool side by side, in this order: those that run, and one that is new. */
  readonly join: (caches: readonly PagedCache[]) => PagedCache;
  /** How many pages no cache has. */
  readonly free: number;
  /** Frees the memory. Caches of it are of no use then. */
  dispose(): void;
}

/** A cache of sequences, one for each batch entry, which may differ in length. */
export interface PagedCache extends KeyValueCache {
  /** How many rows each sequence has seen. */
  readonly lengths: readonly number[];
  /** These sequences, in this order, each as often as it is named: for the beams that go on. Copies nothing. */
  readonly select: (sequences: readonly number[]) => PagedCache;
  readonly add: (key: Tensor, value: Tensor) => Remembered<PagedCache>;
}

/**
 * A pool of pages, as in vLLM (Kwon et al. 2023, arXiv 2309.06180, section 4): a sequence takes a page when its last one is full,
 * and caches that began at one share its pages; the last page is copied when one of two writes to it. So beams cost what they
 * differ in, and memory is found for a sequence as it grows.
 *
 * A call gathers the pages of its sequences, and disposes them with the call. Where lengths differ, the masks must go by them:
 * `mask: [padding(), causal({ align: 'lengths' })]`; the layer gives them `lengths`.
 *
 * Nothing flows back through a page: call the layer inside `withoutGradients(device, () => ...)`.
 *
 * @throws ValueError for sizes that are none; at a call, for a pool that is full, which leaves everything as it was.
 * @example
 * const pool = pagePool(device, { pages: 256, heads: 8, width: 64 });
 * let cache = pool.start(2);
 */
export function pagePool(device: Device, options: PagePoolOptions): PagePool {
  const { pages, page = 16, heads, width, valueWidth = width, dtype = 'float32' } = options;
  for (const [name, size] of Object.entries({ pages, page, heads, width, valueWidth })) {
    if (!(Number.isSafeInteger(size) && size >= 1))
      throw new ValueError(`pagePool: ${name} expects a whole number of at least 1, got ${String(size)}.`);
  }
  const table = new PageTable(pages, page);
  const memory = {
    key: zeros(device, [pages, page, heads, width], { dtype }),
    value: zeros(device, [pages, page, heads, valueWidth], { dtype }),
  } as const;
  const mine = new WeakMap<PagedCache, readonly Sequence[]>();

  const sequencesOf = (cache: PagedCache): readonly Sequence[] => {
    const sequences = mine.get(cache);
    if (sequences) return sequences;
    throw new ValueError(
      'pagePool: this cache is of another pool, or was disposed. Join caches that one pool started.',
    );
  };

  const cacheOf = (sequences: readonly Sequence[]): PagedCache => {
    const lengths = sequences.map(({ length }) => length);
    const cache: PagedCache = Object.freeze({
      kind: 'key-value-cache',
      lengths,
      places: (rows: number) => {
        const [first = 0] = lengths;
        if (lengths.every((one) => one === first)) return { offset: first };
        const positions = lengths.flatMap((from) => Array.from({ length: rows }, (_, i) => from + i));
        return { positions: tensor(device, positions, { shape: [lengths.length, rows], dtype: 'int32' }) };
      },
      add: (key: Tensor, value: Tensor) => {
        const before = sequencesOf(cache);
        checkRows(device, 'key', key, [before.length, heads, width]);
        checkRows(device, 'value', value, [before.length, heads, valueWidth]);
        const extended = table.extend(before, key.shape[2] as number);
        const after = extended.map(({ sequence }) => sequence);
        const through = (pool: Tensor, rows: Tensor): Tensor => {
          write(pool, extended, rows.dtype === dtype ? rows : cast(rows, dtype));
          return read(pool, after);
        };
        try {
          return scope(device, () => ({
            key: through(memory.key, key),
            value: through(memory.value, value),
            lengths: after.map(({ length }) => length),
            cache: cacheOf(after),
          }));
        } catch (problem) {
          for (const one of after) table.release(one);
          throw problem;
        }
      },
      select: (chosen: readonly number[]) => {
        const all = sequencesOf(cache);
        return cacheOf(
          chosen.map((one) => {
            const sequence = all[one];
            if (sequence) return table.share(sequence);
            throw new ValueError(
              `pagePool: there is no sequence ${one} among ${all.length}, counted from 0.`,
            );
          }),
        );
      },
      dispose: () => {
        for (const one of mine.get(cache) ?? []) table.release(one);
        mine.delete(cache);
      },
    });
    mine.set(cache, sequences);
    return cache;
  };

  return {
    start: (sequences) => {
      if (!(Number.isSafeInteger(sequences) && sequences >= 1))
        throw new ValueError(
          `pagePool: start expects a whole number of sequences of at least 1, got ${String(sequences)}.`,
        );
      return cacheOf(Array.from({ length: sequences }, () => ({ pages: [], length: 0 })));
    },
    join: (caches) => cacheOf(caches.flatMap(sequencesOf).map((one) => table.share(one))),
    get free() {
      return table.free;
    },
    dispose: () => {
      memory.key.dispose();
      memory.value.dispose();
    },
  };
}

function checkRows(
  device: Device,
  name: string,
  rows: Tensor,
  sizes: readonly [number, number, number],
): void {
  const [sequences, heads, width] = sizes;
  const [batch, ownHeads, , ownWidth] = rows.shape;
  if (rows.rank !== 4 || batch !== sequences || ownHeads !== heads || ownWidth !== width)
    throw new ShapeError(
      `pagePool: expected ${name} rows for ${sequences} sequences, ${heads} heads and a width of ${width}, [${sequences}, ${heads}, row, ` +
        `${width}], got [${rows.shape.join(', ')}]. The pool is made for one layer: its heads and width are the layer's keyHeads and headWidth.`,
    );
  if (isRecording(device, [rows]))
    throw new GradientError(
      'pagePool: pages keep rows, and not how they came about, so no gradient would flow back through them. Call the layer inside ' +
        'withoutGradients(device, () => ...), or train with keyValueCache().',
    );
}

/** Rows [batch, head, row, feature] to their places in the pool, [page, row, head, feature]. */
function write(pool: Tensor, extended: readonly Extension[], rows: Tensor): void {
  for (const [sequence, { copies, writes }] of extended.entries()) {
    for (const { from, to, count } of copies) {
      const own = gathered(pool, tensor(pool.device, [[from]], { dtype: 'int32' })).slice(2, 0, count);
      put(own.squeeze(0), pool, to, 0);
    }
    const own = rows.slice(0, sequence, sequence + 1).squeeze(0);
    for (const { page, at, from, count } of writes) put(own.slice(1, from, from + count), pool, page, at);
  }
}

/** Rows [head, row, feature] to places that nobody reads: an earlier call's gathered rows are its own. */
function put(rows: Tensor, pool: Tensor, page: number, at: number): void {
  const { device, dtype } = pool;
  const [heads, count, width] = rows.shape as [number, number, number];
  const [perPage, perRow, perHead] = pool.strides as [number, number, number];
  const into = pool.view('pagePool', {
    shape: [heads, count, width],
    strides: [perHead, perRow, 1],
    offset: page * perPage + at * perRow,
  });
  const program = device.remember(copies, dtype, (): MapProgram => {
    const body = asExpr(input(new Graph(), 'x', typeOf(dtype)));
    return { kind: 'map', rank: 3, inputs: { x: dtype }, uniforms: {}, results: { out: { dtype, body } } };
  });
  dispatch(device, program, { where: 'pagePool', inputs: { x: rows }, results: { out: { into } } });
  into.dispose();
}

const copies = {};

/** The rows of sequences, [batch, head, key, feature], as many as the longest has; beyond the others' ends stands anything. */
function read(pool: Tensor, sequences: readonly Sequence[]): Tensor {
  const most = Math.max(...sequences.map(({ pages }) => pages.length));
  const longest = Math.max(...sequences.map(({ length }) => length));
  const index = sequences.flatMap(({ pages }) =>
    Array.from({ length: most }, (_, i) => pages[i]?.index ?? 0),
  );
  const shape = [sequences.length, most];
  return gathered(pool, tensor(pool.device, index, { shape, dtype: 'int32' })).slice(2, 0, longest);
}

/** [batch, page] of a pool [page, row, head, feature]: [batch, head, key, feature]. */
function gathered(pool: Tensor, index: Tensor<'int32'>): Tensor {
  const [, page, heads, width] = pool.shape as [number, number, number, number];
  const [batch, count] = index.shape as [number, number];
  return take(pool, index)
    .reshape([batch, count * page, heads, width])
    .permute([0, 2, 1, 3]);
}
