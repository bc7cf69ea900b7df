// Caches in pages: what they give is what a cache of one's own gives, and what they share is not written over.

import { alibi, causal, padding } from '@heed/masks';
import { rotary } from '@heed/nn';
import { concat, type Tensor, withoutGradients } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import { close, device, double, rows } from '../../../around/nn/src/exact.fixture.ts';
import { keyValueCache, multiHead, pagePool } from './index.ts';

const quietly = <T>(body: () => T): T => withoutGradients(device, body);
const options = {
  width: 6,
  heads: 2,
  keyHeads: 1,
  seed: 1,
  rotary: rotary({ layout: 'halves', width: 2 }),
  mask: [padding(), causal({ align: 'lengths' })],
  ...double,
} as const;
const layer = multiHead(device, options);
/** The same layer over one sequence at a time. */
const plain = multiHead(device, { ...options, mask: causal({ align: 'end' }), parameters: layer.parameters });
const poolOf = (pages: number) => pagePool(device, { pages, page: 3, heads: 1, width: 3, dtype: 'float64' });

describe('a paged cache', () => {
  it('continues sequences as if they were whole', async () => {
    const x = rows(1, 2, 8, 6);
    const whole = plain(x);
    let cache = poolOf(8).start(2);
    for (const [from, to] of [
      [0, 4],
      [4, 5],
      [5, 8],
    ] as const) {
      const step = quietly(() => layer(x.slice(1, from, to), { cache }));
      cache.dispose();
      cache = step.cache;
      await close(step.output, whole.slice(1, from, to));
    }
    expect(cache.lengths).toEqual([8, 8]);
  });

  it('holds sequences of unlike length, one that joins among them', async () => {
    const pool = poolOf(8);
    const [a, b] = [rows(1, 1, 7, 6), rows(2, 1, 3, 6)];
    const long = quietly(() => layer(a.slice(1, 0, 6), { cache: pool.start(1) })).cache;
    const short = quietly(() => layer(b.slice(1, 0, 2), { cache: pool.start(1) })).cache;
    const both = pool.join([long, short]);
    expect(both.lengths).toEqual([6, 2]);
    const next = concat([a.slice(1, 6), b.slice(1, 2)]);
    const { output, cache } = quietly(() => layer(next, { cache: both }));
    await close(output, concat([plain(a).slice(1, 6), plain(b).slice(1, 2)]));
    expect(cache.lengths).toEqual([7, 3]);
  });

  it('lets beams part: each goes on from what they share', async () => {
    const pool = poolOf(8);
    const x = rows(3, 1, 4, 6);
    const start = quietly(() => layer(x, { cache: pool.start(1) })).cache;
    const free = pool.free;
    const beams = start.select([0, 0, 0]);
    expect(pool.free).toBe(free);
    const words = rows(4, 3, 1, 6);
    const step = quietly(() => layer(words, { cache: beams }));
    const wanted = (beam: number) =>
      plain(concat([x, words.slice(0, beam, beam + 1)], { axis: 1 })).slice(1, 4);
    await close(step.output, concat([wanted(0), wanted(1), wanted(2)]));
    // The last page of two beams was copied; the full one is shared by all.
    expect(pool.free).toBe(free - 2);
    // Only the last beam goes on, twice; the cache that they began at still stands.
    const chosen = step.cache.select([2]);
    const more = rows(5, 1, 1, 6);
    const after = quietly(() => layer(more, { cache: chosen }));
    await close(after.output, plain(concat([x, words.slice(0, 2), more], { axis: 1 })).slice(1, 5));
    await close(
      quietly(() => layer(more, { cache: start })).output,
      plain(concat([x, more], { axis: 1 })).slice(1, 4),
    );
  });

  it('gives pages back, and leaves nothing behind', () => {
    const pool = poolOf(4);
    const x = rows(1, 1, 4, 6);
    const before = device.live;
    const { output, cache } = quietly(() => layer(x, { cache: pool.start(1) }));
    expect(pool.free).toBe(2);
    cache.dispose();
    cache.dispose();
    output.dispose();
    expect([pool.free, device.live]).toEqual([4, before]);
    expect(() => cache.select([0])).toThrow('this cache is of another pool, or was disposed');
  });

  it('is full without harm', async () => {
    const pool = poolOf(2);
    const x = rows(1, 1, 5, 6);
    const { cache } = quietly(() => layer(x, { cache: pool.start(1) }));
    expect(() => quietly(() => layer(rows(2, 1, 2, 6), { cache }))).toThrow(
      'pagePool: 1 sequences that go on by 2 rows need 1 pages of 3 rows, and 0 of 2 are free. Dispose caches that are done with',
    );
    const last = rows(3, 1, 1, 6);
    await close(
      quietly(() => layer(last, { cache })).output,
      plain(concat([x, last], { axis: 1 })).slice(1, 5),
    );
  });

  it('gives its pages back where the call fails', () => {
    const pool = poolOf(4);
    expect(() =>
      quietly(() => layer(rows(1, 1, 2, 6), { cache: pool.start(1), uniforms: { no: 1 } })),
    ).toThrow('"no"');
    expect(pool.free).toBe(4);
  });

  it('refuses what would be silently wrong', () => {
    const pool = poolOf(8);
    const bare = { ...options, parameters: layer.parameters };
    const unlike = () =>
      pool.join([
        quietly(() => layer(rows(1, 1, 4, 6), { cache: pool.start(1) })).cache,
        quietly(() => layer(rows(1, 1, 2, 6), { cache: pool.start(1) })).cache,
      ]);
    const next = rows(2, 2, 1, 6);
    expect(() => quietly(() => multiHead(device, { ...bare, mask: [] })(next, { cache: unlike() }))).toThrow(
      "multi-head: the cache holds sequences of unlike length, [5, 3], and no mask goes by it. Make the layer with mask: [padding(), causal({ align: 'lengths' })].",
    );
    const end = multiHead(device, { ...bare, mask: padding(), modifiers: [alibi({ align: 'end' })] });
    expect(() => quietly(() => end(next, { cache: unlike() }))).toThrow(
      "goes by the longest. Give it align: 'lengths'.",
    );
    expect(() => layer(rows(1, 1, 4, 6), { cache: pool.start(1) })).toThrow(
      'pagePool: pages keep rows, and not how they came about',
    );
    expect(() => quietly(() => layer(next, { cache: pool.start(1) }))).toThrow(
      'pagePool: expected key rows for 1 sequences, 1 heads and a width of 3, [1, 1, row, 3], got [2, 1, 1, 3].',
    );
    expect(() => pool.start(0)).toThrow('pagePool: start expects a whole number of sequences');
    expect(() => pool.start(2).select([2])).toThrow('there is no sequence 2 among 2');
    expect(() => pagePool(device, { pages: 0, heads: 1, width: 3 })).toThrow('pagePool: pages expects');
    const other = poolOf(1).start(1);
    expect(() => pool.join([other])).toThrow('of another pool');
  });

  it('is one cache among others to the layer', async () => {
    const x = rows(6, 1, 5, 6);
    const [a, b] = quietly(() => [
      plain(x, { cache: keyValueCache() }).output,
      layer(x, { cache: poolOf(2).start(1) }).output,
    ]);
    await close(a as Tensor, b as Tensor);
  });
});
