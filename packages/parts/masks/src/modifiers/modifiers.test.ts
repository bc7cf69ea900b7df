import { describe, expect, it } from 'vitest';
import { at, message } from '../picture.fixture.ts';
import { alibi, alibiSlopes } from './alibi.ts';
import { bias } from './bias.ts';
import { gaussianWindow } from './gaussian-window.ts';
import { learnedScale } from './learned-scale.ts';
import { relativeBuckets } from './relative-buckets.ts';
import { relativeGrid } from './relative-grid.ts';
import { relativeKeys } from './relative-keys.ts';
import { relativeTable } from './relative-table.ts';
import { softcap } from './softcap.ts';
import { temperature } from './temperature.ts';

const square = { queries: 4, keys: 4 };

describe('alibi', () => {
  it('takes off slope times distance, with slopes of powers of 1/2', () => {
    // Eight heads: 1/2, 1/4, ... 1/256.
    expect(at(alibi(), { ...square, heads: 8, head: 0 }, 3, 1, 10)).toBeCloseTo(10 - 2 / 2, 12);
    expect(at(alibi(), { ...square, heads: 8, head: 7 }, 3, 1, 10)).toBeCloseTo(10 - 2 / 256, 12);
    expect(at(alibi(), { ...square, heads: 1 }, 1, 3)).toBeCloseTo(2 / 256, 12);
    expect(at(alibi({ distance: 'absolute' }), { ...square, heads: 1 }, 1, 3)).toBeCloseTo(-2 / 256, 12);
  });

  it('takes slopes that are given', () => {
    expect(
      at(alibi({ slope: 'given' }), { ...square, heads: 3, given: () => ({ slopes: 0.25 }) }, 3, 1, 10),
    ).toBe(9.5);
    expect(alibi().inputs).toEqual({});
  });

  it('follows the alignment', () => {
    expect(at(alibi({ align: 'end' }), { queries: 1, keys: 4, heads: 1 }, 0, 1)).toBeCloseTo(-2 / 256, 12);
    expect(message(() => at(alibi(), { queries: 1, keys: 4 }, 0, 1))).toContain('which ends line up');
  });

  it('asks for slopes where formula and code of the paper differ', () => {
    expect(message(() => at(alibi(), { ...square, heads: 12 }, 0, 1))).toMatchInlineSnapshot(
      `"for 12 heads, no power of two, the paper's formula and its code give different slopes. Say alibi({ slope: 'interleaved' }) for those of the code, or give your own: alibi({ slope: 'given' }) with inputs.slopes [12]."`,
    );
    expect(alibiSlopes(4)).toEqual([2 ** -2, 2 ** -4, 2 ** -6, 2 ** -8]);
    // As printed by the code of Press et al. for 6 heads: the 4 of the power of two below, then 2^-1 and 2^-3.
    expect(alibiSlopes(6)).toEqual([2 ** -2, 2 ** -4, 2 ** -6, 2 ** -8, 2 ** -1, 2 ** -3]);
  });

  it('has the slopes of the code for any number of heads', () => {
    for (const heads of [1, 2, 3, 5, 6, 8, 12, 20, 40]) {
      const slopes = Array.from({ length: heads }, (_, head) =>
        at(alibi({ slope: 'interleaved' }), { ...square, heads, head }, 0, 1),
      );
      for (const [head, slope] of alibiSlopes(heads).entries()) expect(slopes[head]).toBeCloseTo(slope, 12);
    }
  });
});

describe('softcap', () => {
  it('levels off at the cap', () => {
    expect(at(softcap(), square, 0, 0, 1e6)).toBe(50);
    expect(at(softcap({ cap: 2 }), square, 0, 0, 1)).toBeCloseTo(2 * Math.tanh(0.5), 14);
    expect(message(() => softcap({ cap: 0 }))).toMatchInlineSnapshot(
      `"ValueError: modifier "softcap": the option "cap" expects a finite number above 0, got 0."`,
    );
  });
});

describe('temperature', () => {
  it('divides', () => {
    expect(at(temperature(), square, 0, 0, 3)).toBe(3);
    expect(at(temperature({ temperature: 4 }), square, 0, 0, 3)).toBe(0.75);
    expect(message(() => temperature({ temperature: -1 }))).toMatchInlineSnapshot(
      `"ValueError: modifier "temperature": the option "temperature" expects a finite number above 0, got -1."`,
    );
  });
});

describe('learnedScale', () => {
  it('multiplies by what is trained', () => {
    expect(at(learnedScale(), { ...square, given: () => ({ scale: 3 }) }, 0, 0, 2)).toBe(6);
    expect(at(learnedScale({ per: 'head' }), { ...square, given: () => ({ headScale: 3 }) }, 0, 0, 2)).toBe(
      6,
    );
    expect(Object.keys(learnedScale().params)).toEqual(['scale']);
    expect(learnedScale({ per: 'head' }).params).toMatchObject({
      headScale: { along: ['head'], initial: 1 },
    });
  });
});

describe('bias', () => {
  it('adds', () => {
    expect(at(bias(), { ...square, given: () => ({ bias: -0.5 }) }, 0, 0, 2)).toBe(1.5);
  });
});

describe('relativeTable', () => {
  it('adds the entry of the clipped distance', () => {
    const relative = { sizes: [5], data: [10, 20, 30, 40, 50] };
    const table = relativeTable({ max: 2 });
    const entries = [0, 1, 2, 3].map((key) =>
      at(table, { ...square, given: () => ({ relative }) }, 0, key, 1),
    );
    expect(entries).toEqual([31, 21, 11, 11]);
    expect(at(table, { ...square, given: () => ({ relative }) }, 3, 0, 1)).toBe(51);
  });
});

describe('relativeBuckets', () => {
  /** A table in which entry b is b. */
  const named = (count: number) => () => ({
    bucketBias: { sizes: [count], data: Array.from({ length: count }, (_, b) => b) },
  });
  const row = (
    part: ReturnType<typeof relativeBuckets>,
    count: number,
    distances: readonly number[],
  ): number[] =>
    distances.map((distance) => {
      const scene = { queries: 301, keys: 301, given: named(count) };
      return distance < 0 ? at(part, scene, -distance, 0) : at(part, scene, 0, distance);
    });

  it('gives each near distance a bucket, and ranges that grow to those beyond', () => {
    // By the formula of Hugging Face's T5 (`_relative_position_bucket`) in float32, for 32 buckets and 128.
    expect(
      row(
        relativeBuckets(),
        32,
        [0, -1, -7, -8, -11, -12, -15, -16, -22, -23, -31, -32, -63, -64, -90, -91, -128, -300],
      ),
    ).toEqual([0, 1, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 13, 14, 14, 15, 15, 15]);
    expect(row(relativeBuckets(), 32, [1, 8, 300])).toEqual([17, 24, 31]);
  });

  it('looks back alone for a decoder', () => {
    const decoder = relativeBuckets({ bidirectional: false });
    expect(row(decoder, 32, [5, 0, -1, -15, -16, -18, -19, -112, -113, -300])).toEqual([
      0, 0, 1, 15, 16, 16, 17, 30, 31, 31,
    ]);
  });

  it('refuses ranges that cannot be', () => {
    expect(message(() => relativeBuckets({ buckets: 7 }))).toMatchInlineSnapshot(
      `"ValueError: modifier "relative-buckets": buckets: 7 is expected to be even and at least 4 where bidirectional, half for either side."`,
    );
    expect(message(() => relativeBuckets({ maxDistance: 8 }))).toMatchInlineSnapshot(
      `"ValueError: modifier "relative-buckets": maxDistance: 8 is expected to lie beyond the 8 distances that have a bucket each."`,
    );
  });
});

describe('relativeGrid', () => {
  const grid = { sizes: [3, 5], data: Array.from({ length: 15 }, (_, entry) => entry) };
  const scene = { queries: 6, keys: 6, given: () => ({ grid }) };

  it('adds the entry of the distance in rows and columns', () => {
    // 2 rows of 3: positions 0 1 2 / 3 4 5. Same place: row 1, column 2 of the table.
    expect(at(relativeGrid({ height: 2, width: 3 }), scene, 4, 4, 100)).toBe(100 + 1 * 5 + 2);
    // From (1, 2) to (0, 0): one down, two across.
    expect(at(relativeGrid({ height: 2, width: 3 }), scene, 5, 0)).toBe(2 * 5 + 4);
    expect(at(relativeGrid({ height: 2, width: 3 }), scene, 0, 5)).toBe(0);
  });

  it('refuses more positions than there are places', () => {
    expect(message(() => at(relativeGrid({ height: 2, width: 2 }), scene, 0, 0))).toMatchInlineSnapshot(
      `"there are 6 queries and 6 keys, and a window of 2 x 2 has 4 places. Cut the image into windows, one a batch entry, or say its real height and width."`,
    );
  });
});

describe('relativeKeys', () => {
  it('compares the query with the vector of the distance', () => {
    const vectors = { sizes: [3, 2], data: [1, 0, 0, 10, 100, 0] };
    const scene = {
      ...square,
      sizes: { queryFeature: 2 },
      given: () => ({ q: [1, 2], relativeKeys: vectors.data }),
    };
    const near = relativeKeys({ distances: 3, scale: 1 });
    // Before the query, at it, after it, and beyond.
    expect([0, 1, 2, 3].map((key) => at(near, scene, 1, key, 0.5))).toEqual([1.5, 20.5, 100.5, 100.5]);
    expect(at(relativeKeys({ distances: 3 }), scene, 1, 1)).toBeCloseTo(20 / Math.SQRT2, 12);
    expect(message(() => at(relativeKeys({ distances: 4 }), square, 0, 0))).toMatchInlineSnapshot(
      `"relativeKeys has 4 rows: expected an odd number, n distances on either side and 0 between them."`,
    );
  });
});

describe('gaussianWindow', () => {
  it('takes off the square of the distance', () => {
    expect(at(gaussianWindow({ sigma: 2 }), square, 0, 3, 10)).toBe(10 - 9 / 8);
    expect(
      at(
        gaussianWindow({ sigma: 1, center: 'given' }),
        { queries: 1, keys: 4, given: () => ({ centers: 1.5 }) },
        0,
        3,
      ),
    ).toBe(-1.125);
    expect(message(() => at(gaussianWindow(), { queries: 1, keys: 4 }, 0, 3))).toContain(
      'which ends line up',
    );
  });
});
