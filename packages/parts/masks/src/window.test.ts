import { describe, expect, it } from 'vitest';
import { message, picture } from './picture.fixture.ts';
import { window } from './window.ts';

describe('window', () => {
  it('allows left + 1 + right keys', () => {
    expect(picture(window({ left: 2, right: 1 }), { queries: 6, keys: 6 })).toEqual([
      '##....',
      '###...',
      '####..',
      '.####.',
      '..####',
      '...###',
    ]);
    expect(picture(window({ left: 0, right: 0 }), { queries: 3, keys: 3 })).toEqual(['#..', '.#.', '..#']);
  });

  it('follows the alignment', () => {
    expect(picture(window({ left: 1, right: 0, align: 'end' }), { queries: 2, keys: 5 })).toEqual([
      '..##.',
      '...##',
    ]);
    expect(picture(window({ left: 1, right: 0, offset: 1 }), { queries: 2, keys: 5 })).toEqual([
      '##...',
      '.##..',
    ]);
    expect(message(() => picture(window({ left: 1, right: 0 }), { queries: 2, keys: 5 }))).toContain(
      'which ends line up',
    );
  });

  it('needs both of its sides', () => {
    // @ts-expect-error: both sides
    expect(message(() => window({ left: 2 }))).toMatchInlineSnapshot(
      `"NameError: mask "window": the option "right" must be given: expected a whole number of at least 0, as in window({ left: ..., right: ... })."`,
    );
    // @ts-expect-error: no bare number
    expect(message(() => window(2))).toMatchInlineSnapshot(
      `"DTypeError: mask "window": expected its options as an object such as window({ left: ..., right: ... }), got 2."`,
    );
    expect(message(() => window({ left: -1, right: 0 }))).toMatchInlineSnapshot(
      `"ValueError: mask "window": the option "left" expects a whole number of at least 0, got -1."`,
    );
  });
});
