import { describe, expect, it } from 'vitest';
import { blockLocal } from './block-local.ts';
import { dilated } from './dilated.ts';
import { fixedSparse } from './fixed-sparse.ts';
import { full } from './full.ts';
import { globalPrefix } from './global-prefix.ts';
import { globalWindow } from './global-window.ts';
import { local } from './local.ts';
import { neighborhood } from './neighborhood.ts';
import { message, picture } from './picture.fixture.ts';
import { randomBlocks } from './random-blocks.ts';
import { strided } from './strided.ts';

const square = { queries: 6, keys: 6 };

describe('full', () => {
  it('allows every pair', () => {
    expect(picture(full(), { queries: 2, keys: 3 })).toEqual(['###', '###']);
  });
});

describe('dilated', () => {
  it('allows keys at multiples of the stride, on both sides', () => {
    expect(picture(dilated({ stride: 2 }), square)).toEqual([
      '#.#.#.',
      '.#.#.#',
      '#.#.#.',
      '.#.#.#',
      '#.#.#.',
      '.#.#.#',
    ]);
    expect(picture(dilated({ stride: 3, align: 'end' }), { queries: 2, keys: 6 })).toEqual([
      '.#..#.',
      '..#..#',
    ]);
  });

  it('refuses a stride of nothing', () => {
    expect(message(() => dilated({ stride: 0 }))).toMatchInlineSnapshot(
      `"ValueError: mask "dilated": the option "stride" expects a whole number of at least 1, got 0."`,
    );
  });
});

describe('blockLocal', () => {
  it('cuts the sequence into blocks', () => {
    expect(picture(blockLocal({ block: 4 }), square)).toEqual([
      '####..',
      '####..',
      '####..',
      '####..',
      '....##',
      '....##',
    ]);
    expect(picture(blockLocal({ block: 4, offset: 3 }), { queries: 2, keys: 6 })).toEqual([
      '####..',
      '....##',
    ]);
  });

  it('shows the blocks beside it', () => {
    expect(picture(blockLocal({ block: 2, neighbours: 1 }), square)).toEqual([
      '####..',
      '####..',
      '######',
      '######',
      '..####',
      '..####',
    ]);
  });

  it('refuses a block of nothing', () => {
    // @ts-expect-error: it must be given
    expect(message(() => blockLocal())).toMatchInlineSnapshot(
      `"NameError: mask "block-local": the option "block" must be given: expected a whole number of at least 1, as in blockLocal({ block: ... })."`,
    );
  });
});

describe('strided', () => {
  it('allows the near past and every stride-th key before', () => {
    expect(picture(strided({ stride: 2 }), square)).toEqual([
      '#.....',
      '##....',
      '###...',
      '.###..',
      '#.###.',
      '.#.###',
    ]);
  });
});

describe('fixedSparse', () => {
  it('allows the own block so far, and the last keys of each block before', () => {
    expect(picture(fixedSparse({ stride: 3, summary: 1 }), square)).toEqual([
      '#.....',
      '##....',
      '###...',
      '..##..',
      '..###.',
      '..####',
    ]);
  });

  it('comes apart into its two steps, as strided does', () => {
    expect(picture(fixedSparse({ stride: 3, summary: 2, factor: 'local' }), square)).toEqual([
      '#.....',
      '##....',
      '###...',
      '...#..',
      '...##.',
      '...###',
    ]);
    expect(picture(fixedSparse({ stride: 3, summary: 2, factor: 'summary' }), square)).toEqual([
      '......',
      '.#....',
      '.##...',
      '.##...',
      '.##.#.',
      '.##.##',
    ]);
    expect(picture(strided({ stride: 2, factor: 'local' }), square)[4]).toBe('...##.');
    expect(picture(strided({ stride: 2, factor: 'stride' }), square)[4]).toBe('#.#.#.');
  });

  it('refuses a summary longer than its block', () => {
    expect(message(() => fixedSparse({ stride: 3, summary: 4 }))).toMatchInlineSnapshot(
      `"ValueError: mask "fixed-sparse": summary: 4 is more than the 3 keys of a block. Give at most stride."`,
    );
  });
});

describe('randomBlocks', () => {
  const wide = { queries: 8, keys: 8 };

  it('draws blocks for each block of queries, one seed one pattern', () => {
    const drawn = picture(randomBlocks({ block: 2, draws: 1, blockSeed: 3 }), wide);
    expect(drawn).toMatchInlineSnapshot(`
      [
        "##......",
        "##......",
        "##......",
        "##......",
        "##......",
        "##......",
        "..##....",
        "..##....",
      ]
    `);
    for (let query = 0; query < 8; query += 2) expect(drawn[query]).toBe(drawn[query + 1]);
    expect(picture(randomBlocks({ block: 2, draws: 1, blockSeed: 4 }), wide)).not.toEqual(drawn);
    expect(
      picture(randomBlocks({ block: 2, draws: 1, blockSeed: 3 }), { ...wide, heads: 2, head: 1 }),
    ).not.toEqual(drawn);
  });

  it('draws at most so many, and all blocks alike', () => {
    const seen = Array.from({ length: 200 }, (_, blockSeed) =>
      picture(randomBlocks({ block: 2, draws: 2, blockSeed, align: 'end' }), { queries: 1, keys: 6 }),
    ).flat();
    const counts = [0, 2, 4].map((at) => seen.filter((row) => row[at] === '#').length);
    // A block is left out by both draws with probability (2 / 3)²: of 200, 111 are expected; 35 are five deviations.
    for (const count of counts) expect(Math.abs(count - 111)).toBeLessThan(35);
    expect(seen.every((row) => row.replaceAll('.', '').length <= 4)).toBe(true);
  });
});

describe('globalPrefix', () => {
  it('opens rows and columns of the first positions', () => {
    expect(picture(globalPrefix({ positions: 2 }), { queries: 4, keys: 4 })).toEqual([
      '####',
      '####',
      '##..',
      '##..',
    ]);
    expect(picture(globalPrefix({ positions: 1, align: 'end' }), { queries: 1, keys: 3 })).toEqual(['#..']);
  });

  it('opens columns alone for sinks, whatever the lengths', () => {
    expect(picture(globalPrefix({ positions: 1, side: 'keys' }), { queries: 2, keys: 4 })).toEqual([
      '#...',
      '#...',
    ]);
  });
});

describe('globalWindow', () => {
  it('opens rows and columns of global positions', () => {
    expect(picture(globalWindow({ window: 1, global: [3] }), square)).toEqual([
      '##.#..',
      '####..',
      '.###..',
      '######',
      '...###',
      '...###',
    ]);
    expect(picture(globalWindow({ window: 0, global: [] }), { queries: 2, keys: 2 })).toEqual(['#.', '.#']);
  });

  it('counts global positions along the keys', () => {
    expect(picture(globalWindow({ window: 0, global: [4], align: 'end' }), { queries: 2, keys: 5 })).toEqual([
      '...##',
      '#####',
    ]);
  });

  it('refuses positions that are none', () => {
    expect(message(() => globalWindow({ window: 1, global: [-1] }))).toMatchInlineSnapshot(
      `"ValueError: mask "global-window": the option "global" expects a list of whole numbers of at least 0, got [-1]."`,
    );
  });
});

describe('local', () => {
  it('allows keys near a centre that is not rounded', () => {
    const centers = [0.4, 2.5, 9];
    expect(
      picture(local({ window: 1.5 }), {
        queries: 3,
        keys: 5,
        given: (query) => ({ centers: centers[query] as number }),
      }),
    ).toEqual(['##...', '.####', '.....']);
  });

  it('refuses a negative window', () => {
    expect(message(() => local({ window: -0.5 }))).toMatchInlineSnapshot(
      `"ValueError: mask "local": the option "window" expects a finite number of at least 0, got -0.5."`,
    );
  });
});

describe('neighborhood', () => {
  /** What one place of an image sees, as an image. */
  const seen = (mask: ReturnType<typeof neighborhood>, width: number, places: number, place: number) => {
    const row = picture(mask, { queries: places, keys: places })[place] as string;
    return Array.from({ length: places / width }, (_, i) => row.slice(i * width, (i + 1) * width));
  };

  it('is the places around a place, shifted inwards at the edges', () => {
    const mask = neighborhood({ height: 4, width: 5, size: 3 });
    expect(seen(mask, 5, 20, 7)).toEqual(['.###.', '.###.', '.###.', '.....']);
    expect(seen(mask, 5, 20, 0)).toEqual(['###..', '###..', '###..', '.....']);
    expect(seen(mask, 5, 20, 19)).toEqual(['.....', '..###', '..###', '..###']);
    const counts = picture(mask, { queries: 20, keys: 20 }).map((row) => row.replaceAll('.', '').length);
    expect(new Set(counts)).toEqual(new Set([9]));
  });

  it('is cut at the edges where told', () => {
    const mask = neighborhood({ height: 4, width: 5, size: 3, edges: 'cut' });
    expect(seen(mask, 5, 20, 7)).toEqual(['.###.', '.###.', '.###.', '.....']);
    expect(seen(mask, 5, 20, 0)).toEqual(['##...', '##...', '.....', '.....']);
    expect(seen(mask, 5, 20, 14)).toEqual(['.....', '...##', '...##', '...##']);
  });

  it('is the whole of an image that is smaller', () => {
    expect(seen(neighborhood({ height: 2, width: 2, size: 5 }), 2, 4, 3)).toEqual(['##', '##']);
  });

  it('refuses a window without a middle, and more places than there are', () => {
    expect(message(() => neighborhood({ height: 2, width: 2, size: 2 }))).toMatchInlineSnapshot(
      `"ValueError: mask "neighborhood": size is 2: expected an odd number, so that a place is in the middle of its window."`,
    );
    expect(
      neighborhood({ height: 2, width: 2, size: 1 }).refuse(
        { queryLength: 9, keyLength: 9, batches: 1, heads: 1, keyHeads: 1 },
        {},
      ),
    ).toMatchInlineSnapshot(
      `"there are 9 queries and 9 keys, and an image of 2 x 2 has 4 places. Say the image's real height and width."`,
    );
  });
});
