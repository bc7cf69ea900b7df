import { describe, expect, it } from 'vitest';
import { blockLocal } from './block-local.ts';
import { dilated } from './dilated.ts';
import { full } from './full.ts';
import { globalWindow } from './global-window.ts';
import { local } from './local.ts';
import { message, picture } from './picture.fixture.ts';
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
